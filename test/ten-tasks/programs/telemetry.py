"""What telemetry.mjs is for programs in Python: it says at the end what came."""

import atexit
import logging

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

lines = []


class Lines(logging.Handler):
    def emit(self, record):
        lines.append(f"{record.tool} {record.outcome}")


logger = logging.getLogger("market")
logger.setLevel(logging.INFO)
logger.addHandler(Lines())
logger.propagate = False

registry = CollectorRegistry()

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
# The library makes its spans with the provider of the process.
trace.set_tracer_provider(provider)


@atexit.register
def tell():
    print(f"logged: {', '.join(lines)}")
    counted = [
        f"{sample.labels['tool']} {sample.value:g}"
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.endswith("_count")
    ]
    print(f"counted: {', '.join(sorted(counted))}")
    spans = [span.name for span in exporter.get_finished_spans()]
    print(f"traced: {', '.join(name for name in spans if name.startswith('tools/call'))}")
