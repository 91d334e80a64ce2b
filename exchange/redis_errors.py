"""What redis-py's errors mean for the bus."""

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    ClusterError,
    NoPermissionError,
    NoScriptError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from exchange.errors import FatalError, RetryLaterError

REDIS_ERRORS = (RedisError, RedisClusterException)
"""What redis-py raises; a cluster's own errors are no errors of Redis to it."""


def translate_redis(error: Exception) -> RetryLaterError | FatalError:
    """What a Redis error means for the bus: wait, or stop."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, AuthenticationError | AuthenticationWrongNumberOfArgsError):
        return FatalError(
            f"Redis refuses this user: {text}",
            code="redis_login_refused",
            remedy="set CREDITBUS_REDIS_USER and CREDITBUS_REDIS_PASSWORD_FILE as Redis' list of users has them",
        )
    if isinstance(error, NoPermissionError):
        return FatalError(
            f"Redis allows this user too little: {text}",
            code="redis_not_allowed",
            remedy="run `creditbus redis apply`",
        )
    if "CERTIFICATE" in text.upper():
        return FatalError(
            f"Redis shows a certificate that is not trusted, or refuses ours: {text}",
            code="redis_certificate",
            remedy="set CREDITBUS_REDIS_CA, and CREDITBUS_REDIS_CERTIFICATE and CREDITBUS_REDIS_KEY where it asks for them",
        )
    waiting = ("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MISCONF", "OOM", "READONLY", "MOVED", "ASK")
    passing = RedisConnectionError | RedisTimeoutError | NoScriptError | ClusterError | AskError | RedisClusterException
    if isinstance(error, passing) or text.startswith(waiting):
        return RetryLaterError(
            f"Redis: {text}",
            code="redis_away",
            remedy="check that Redis runs and has memory and disk; where it speaks TLS only, CREDITBUS_REDIS begins with rediss://",
        )
    return FatalError(
        f"Redis: {text}", code="redis_refused", remedy="check the server's version (7.0 or later) and rights"
    )
