"""`clearfacts`: what ops type. Exit codes: 1 failed, 2 used wrongly, 3 not signed in."""

import typer

from cli.commands.alerts import alerts
from cli.commands.audit import audit
from cli.commands.config import config
from cli.commands.dlq import dlq
from cli.commands.held import held
from cli.commands.invoices import invoices, why
from cli.commands.jobs import jobs, start
from cli.commands.login import login
from cli.commands.recover import recover
from cli.commands.replay import replays
from cli.commands.status import status
from cli.commands.support import support_bundle
from cli.commands.switches import pause, resume, switches
from cli.commands.system import system
from cli.commands.trace import trace
from cli.commands.users import users
from cli.commands.webhooks import webhooks
from cli.surroundings import Surroundings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def main(context: typer.Context) -> None:
    """Talk to the gateway of the Clearfacts invoice integration."""
    context.obj = context.obj or Surroundings()


app.command()(login)
app.command("process")(start)
app.add_typer(jobs, name="jobs")
app.add_typer(invoices, name="invoices")
app.add_typer(held, name="held")
app.add_typer(dlq, name="dlq")
app.add_typer(replays, name="replay")
app.command()(why)
app.command()(trace)
app.command()(status)
app.command()(pause)
app.command()(resume)
app.add_typer(switches, name="switches")
app.command()(recover)
app.add_typer(alerts, name="alerts")
app.command()(system)
app.add_typer(users, name="users")
app.add_typer(audit, name="audit")
app.add_typer(config, name="config")
app.add_typer(webhooks, name="webhooks")
app.command("support-bundle")(support_bundle)

if __name__ == "__main__":
    app()
