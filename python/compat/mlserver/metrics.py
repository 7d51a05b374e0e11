"""Custom metrics: kept by `prometheus_client` where it is installed; the server's own page does not show them."""

_known = {}


def register(name, description):
    """A histogram of this name; the same one at the second call. None where `prometheus_client` is not installed."""
    if name not in _known:
        try:
            from prometheus_client import Histogram
        except ImportError:
            _known[name] = None
        else:
            _known[name] = Histogram(name, description)
    return _known[name]


def log(**values):
    """Observes a value of each named metric."""
    for name, value in values.items():
        metric = register(name, name)
        if metric is not None:
            metric.observe(value)
