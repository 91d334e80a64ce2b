"""The settings of the neighbour's Kafka: those of one's own, with AWAY in their names. `CREDITBUS_AWAY_KAFKA`, ..."""

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from exchange.brokers import Brokers
from exchange.errors import RequestError
from exchange.server_settings import PREFIX, ServerSettings

AWAY_PREFIX = f"{PREFIX}AWAY_"


class AwaySettings(ServerSettings):
    """Only what is Kafka's is of use."""

    model_config = SettingsConfigDict(env_prefix=AWAY_PREFIX)


def away_kafka() -> Brokers:
    """The neighbour's Kafka, from the environment.

    Raises:
        RequestError: `bad_settings`.
    """
    remedy = "set CREDITBUS_AWAY_KAFKA=host:port, and what opens it, CREDITBUS_AWAY_KAFKA_...; see docs/regions.md"
    try:
        kafka = AwaySettings().kafka
    except (ValidationError, SettingsError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise RequestError(
            said.replace(f"{PREFIX}KAFKA", f"{AWAY_PREFIX}KAFKA"), code="bad_settings", remedy=remedy
        ) from error
    if not kafka:
        raise RequestError("no neighbour's Kafka is given", code="bad_settings", remedy=remedy)
    return kafka
