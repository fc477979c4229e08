"""The action server: rasa-sdk's application on loopback, with everything loaded first."""

from __future__ import annotations

import warnings

import structlog
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor

from actions import (
    appointments,
    checklists,
    closing,
    complaints,
    conversation,
    following,
    nearest,
    people,
    policies,
    policy_subscriptions,
    quality,
    services,
    tickets,
    visits,
)
from actions.registry import ACTIONS
from actions.resources import duplicates, intake, live_catalogue, router
from base.memory import keep_what_is_loaded
from base.settings import Settings
from base.threads import one_thread_a_product

log = structlog.get_logger(__name__)

ROOMS = (
    appointments,
    checklists,
    closing,
    complaints,
    conversation,
    following,
    nearest,
    people,
    policies,
    policy_subscriptions,
    quality,
    services,
    tickets,
    visits,
)
"""Importing a module registers its actions."""


def serve(settings: Settings) -> None:
    """Run the action server in this process until it is stopped.

    rasa-sdk warns that its version differs from the Rasa server's; the action protocol of
    3.6 and 3.21 is the same (docs/adr/0001-two-runtimes.md), so that warning is silenced.
    """
    warnings.filterwarnings("ignore", message=r"(?s)Your versions of rasa and rasa_sdk")
    live_catalogue().watch()
    intake()
    router()
    duplicates()
    one_thread_a_product()
    executor = ActionExecutor()
    for name, runner in ACTIONS.items():
        executor.register_function(name, runner)
    log.info("actions_ready", actions=len(executor.actions))
    application = create_app(executor, cors_origins=[])
    keep_what_is_loaded()
    application.run(
        host=settings.actions_host,
        port=settings.actions_port,
        single_process=True,
        access_log=False,
        motd=False,
    )
