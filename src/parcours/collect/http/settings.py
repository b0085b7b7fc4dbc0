"""What Segment's browser SDK asks for when it loads: where to send, and nothing else."""

from __future__ import annotations

from parcours.collect.http.answers import Answer, answer_json


def answer_settings(write_key: str, host: str, secure: bool) -> Answer:
    """Return the settings: the address in them has no scheme, and the SDK adds ``/t``, ``/b`` … to it."""
    destination: dict[str, object] = {
        "apiKey": write_key,
        "apiHost": f"{host}/v1",
        "protocol": "https" if secure else "http",
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    return answer_json(
        {
            "integrations": {"Segment.io": destination},
            "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}, "identify": {}, "group": {}},
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
    )
