"""One run from first to last: install, start, probe, wait until the mail has come to rest, collect."""

from __future__ import annotations

from collections.abc import Callable

from grader.engines.base import Machines
from grader.kinds.base import Recorded
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.facts import ServerFacts, ServerPlan, ServiceFacts
from grader.kinds.server.run.attempts import attempt_facts
from grader.kinds.server.run.collecting import collect
from grader.kinds.server.run.host import StudentHost
from grader.kinds.server.run.ports import Ports
from grader.kinds.server.run.probing import Probing
from grader.kinds.server.run.startup import StartUp
from grader.model.deadline import Deadline


def conduct(plan: ServerPlan, lab: ServerLab, machines: Machines, overlap: Callable[[], object]) -> Recorded:
    """Run the plan on the machines and return what happened, in a stable order.

    A host that dies, falls silent or refuses is evidence, not an error; ``EngineError`` is raised only when the world
    fails, or the host is not as it was to be built. ``overlap`` is called once, while the machines are busy, for work
    that would otherwise come after.
    """
    host, world, deadline = StudentHost(machines.host), machines.world, Deadline(plan.limits.acting)
    ports = Ports(plan, host.channel, world, deadline, host.read_log)
    start = StartUp(plan, host, world, ports)
    start.go(overlap)
    probing = Probing(plan, lab, host, world, ports, deadline)
    probing.find_others()
    if not host.lost:
        probing.try_all()
    found = collect(plan, host, world, ports, start, probing)
    facts = ServerFacts(
        ended=found.ended,
        attempts=[attempt_facts(attempt) for attempt in probing.attempts],
        outcomes=[probing.outcomes[a.id] for a in probing.attempts if a.id in probing.outcomes],
        sessions=list(probing.sessions.values()),
        arrivals=found.arrivals,
        outside=found.outside,
        queued=found.queued,
        out_of_time=probing.out_of_time,
        queries=found.queries,
        commands=start.commands,
        log=host.log,
        listening=ports.listening,
        sockets=ports.sockets,
        untried=ports.untried,
        inner=ports.inner,
        started_up=bool(ports.listening),
        sought=True,
        unheard=plan.unheard,
        unanswered=probing.last.unanswered,
        serving=probing.last.serving,
        put_off=probing.put_off,
        shut=probing.shut,
        untold=plan.untold,
        published=plan.published,
        settings=plan.settings,
        keys=found.keys,
        services=[
            ServiceFacts(name, name in start.running, name in probing.stopped)
            for name in plan.host.services
            if name != "postfix"
        ],
    )
    notes = [*host.notes, *found.notes]
    return Recorded(facts, notes, start.mta, plan.host.handed_in, host_ended=host.ended)
