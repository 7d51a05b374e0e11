"""The caller's trace context inside user code."""

from __future__ import annotations

import sys
import types
import unittest
from typing import Any, List

from slipway_worker import trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Attached(unittest.TestCase):
    def test_without_opentelemetry_nothing_happens(self) -> None:
        with trace.attached(PARENT):
            self.assertNotIn("opentelemetry.context", sys.modules)

    def test_the_span_is_current_inside_and_not_after_also_when_user_code_raises(self) -> None:
        current: List[Any] = []
        package: Any = types.ModuleType("opentelemetry")
        package.context = types.SimpleNamespace(attach=current.append, detach=lambda _token: current.pop())
        package.propagate = types.SimpleNamespace(extract=lambda carrier: carrier["traceparent"])
        modules = {"opentelemetry": package, "opentelemetry.context": package.context}
        sys.modules.update(modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in modules])
        with self.assertRaises(KeyError), trace.attached(PARENT):
            self.assertEqual(current, [PARENT])
            raise KeyError
        self.assertEqual(current, [])
