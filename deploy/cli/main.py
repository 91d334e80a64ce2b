"""The command `creditbus`: what commands there are. Each is imported when it is called, so that `--help` is quick."""

import sys
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from exchange.errors import CreditbusError


class Command(NamedTuple):
    """A command: its name, where it is (`module:function` or `module:app`), and what the list of commands says of it."""

    name: str
    place: str
    help: str


COMMANDS = (
    Command("demo", "demo:demo", "Show the bus at work, with the proof at the end 演示."),
    Command("up", "stack:up", "Start Kafka and Valkey, or find them running 启动本机服务器."),
    Command("down", "stack:down", "End the embedded servers; their data stays 停止本机服务器."),
    Command("status", "stack:status", "Show whether the servers answer, and what they take 查看服务器状态."),
    Command("reset", "stack:reset", "End the embedded servers and delete all their data 清空本机数据."),
    Command("topics", "topics:app", "Topics of the bus 总线主题."),
    Command("bridge", "bridge:app", "Bridge to a neighbouring region, by MirrorMaker 2 跨区域桥接."),
    Command("redis", "redis_users:app", "Users of Redis, as the catalogue means them Redis 用户."),
    Command("schemas", "schemas:app", "Contracts: check, list, push 数据契约."),
    Command("publish", "publish:publish", "Publish a department's CSV or XLSX file 报送文件."),
    Command("persons", "persons:app", "Pseudonyms of natural persons: change of keys 自然人假名换钥."),
    Command("simulate", "simulate:simulate", "Let a synthetic province publish 模拟报送."),
    Command("run", "run:app", "Run a process of the bus 运行总线进程."),
    Command("search", "search:search", "Find organisations by name, pinyin initials or code 查找主体."),
    Command("show", "ask:show", "Show a subject's standing 查看信用状况."),
    Command("check", "ask:check_command", "Ask whether a matter may be granted 核查."),
    Command("responses", "responses:responses", "Who has done what about a subject's measures 响应与反馈."),
    Command("overdue", "responses:overdue", "Which responses are owed and late 逾期反馈."),
    Command("deadlines", "deadlines:deadlines", "Licences and penalties by their term of disclosure 公示时限."),
    Command("league", "deadlines:league", "Departments ranked by how they publish 数据质量排名."),
    Command("watch", "ask:watch", "Watch a department's notices as they come 订阅通知."),
    Command("rejected", "rejected:app", "Rejected records: list, replay, release 退回的信息."),
    Command("policy", "policy:policy_app", "Lists, measures and memoranda: check, list, explain, simulate 政策."),
    Command("risk", "risk:app", "Credit-risk classes: explain, model, sample, verify 信用风险分类."),
    Command("catalogue", "policy:catalogue_app", "Departments and resources 目录."),
    Command("resync", "redo:resync", "Judge everything again 重新评判."),
    Command("rebuild", "redo:rebuild", "Empty Redis and replay everything from Kafka, in silence 重建."),
    Command("backup", "backup:app", "What only Redis has, as a file, and back 备份与恢复."),
    Command("verify", "verify:verify", "Recompute everything from the topics and compare 校验."),
    Command("early-warning", "early_warning:app", "Early warning: what it has counted 监测预警."),
    Command("keys", "keys:app", "API keys of departments: issue, list, revoke 接口密钥."),
    Command(
        "certificates", "certificates:certificates", "Certificates of portal, gateway and inbox 门户、网关、收件箱证书."
    ),
    Command(
        "secrets", "certificates:secrets", "Keys, passwords and certificates of a bus in containers 容器部署的密钥."
    ),
    Command("accounts", "accounts:app", "Local accounts of the portal: add, list, disable, password 门户账号."),
    Command("access", "access:app", "Access log: who asked for what 访问日志."),
    Command("notices", "notices:app", "Notices of a day as a file 通知批量文件."),
    Command("feedback", "feedback:feedback", "Say what a department did about a measure 反馈."),
    Command("endpoints", "endpoints:app", "Webhooks of departments 推送端点."),
    Command("deliveries", "deliveries:app", "Attempts to deliver notices, and what waits 通知送达."),
    Command("ledger", "ledger:app", "The hash-chained record of everything: keys, export, verify, trace 存证."),
    Command("open-data", "open_data:app", "Open data: daily releases, figures 开放数据."),
    Command("report", "report:app", "Credit reports: verify one, public keys 信用报告核验."),
    Command("archive", "archive:app", "The archive: verify, compact, ask in SQL 归档."),
    Command("statistics", "statistics:statistics", "Ready questions to the archive 统计报告."),
    Command("bench", "bench:bench", "Measure, on servers of its own 性能测试."),
)


class Deferred(TyperCommand):
    """Stands for a command until it is called."""

    def __init__(self, command: Command) -> None:
        super().__init__(command.name, help=command.help)
        self._place = command.place

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> Any:
        """Import the real command."""
        module, name = self._place.split(":")
        found = getattr(import_module(f"deploy.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            group = get_group(found)
            for command in group.commands.values():
                command.help = _unwrap(command.help)
            return group
        single = typer.Typer(add_completion=False)
        single.command(self.name)(found)
        command = get_command(single)
        command.help = _unwrap(command.help)
        return command


def _unwrap(text: str | None) -> str:
    """A docstring with each paragraph on one line: as help it is broken where the terminal ends, not where the source was."""
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in (text or "").split("\n\n"))


def build() -> TyperGroup:
    """The whole command line."""
    return TyperGroup(
        name="creditbus",
        help="Credit exchange bus between government departments 政务信用信息交换总线.",
        no_args_is_help=True,
        commands=[Deferred(command) for command in COMMANDS],
    )


def main() -> None:
    """Run the command line; errors of the bus become one line and exit code 1."""
    try:
        build()(prog_name="creditbus")
    except CreditbusError as error:
        typer.echo(error.line(), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
