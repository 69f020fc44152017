"""The docker engine: containers of any service that speaks Docker's API (Docker Engine, Docker Desktop, Podman)."""

from __future__ import annotations

from grader.engines.docker.engine import DockerEngine

__all__ = ["DockerEngine"]
