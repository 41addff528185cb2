"""What the machine and this process use: read at each scrape, never between."""

import psutil

from common.observability import metrics

HOST, PROCESS = "host", "process"


def measure_process(directory: str = ".") -> None:
    """Let every scrape read processor, memory, network, and the disk of `directory`."""
    process = psutil.Process()
    for gauge, scope, read in (
        (metrics.CPU_PERCENT, HOST, psutil.cpu_percent),
        (metrics.CPU_PERCENT, PROCESS, process.cpu_percent),
        (metrics.MEMORY_BYTES, HOST, lambda: psutil.virtual_memory().used),
        (metrics.MEMORY_BYTES, PROCESS, lambda: process.memory_info().rss),
        (metrics.NETWORK_BYTES, "sent", lambda: psutil.net_io_counters().bytes_sent),
        (metrics.NETWORK_BYTES, "received", lambda: psutil.net_io_counters().bytes_recv),
    ):
        gauge.labels(scope).set_function(read)
    metrics.DISK_PERCENT.set_function(lambda: psutil.disk_usage(directory).percent)
