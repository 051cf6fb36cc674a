"""What the numbers were taken on, and whether anybody else was at work there."""

import os
import platform
import re
from datetime import datetime, timezone

from .errors import BenchError
from .scene import LOAD_CORE, PROXY_CORE

TICK = os.sysconf("SC_CLK_TCK")


def require():
    if platform.system() != "Linux":
        raise BenchError("the CPU accounting is Linux's", "run it on Linux")
    if not {PROXY_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise BenchError(f"cores {PROXY_CORE} and {LOAD_CORE} are not both ours",
                         "run it on a machine with two cores, without a CPU mask")


def describe():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    with open("/etc/os-release") as file:
        system = re.search(r'^PRETTY_NAME="?(.*?)"?$', file.read(), re.M)
    return {
        "Date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "CPU": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, "
               f"{platform.machine()}",
        "System": f"{system[1] if system else 'Linux'}, kernel {platform.release()}",
    }


def core_busy_seconds(core):
    """Time the core has spent on anything at all, stolen time included, in steps of a tick."""
    with open("/proc/stat") as file:
        for line in file:
            if line.startswith(f"cpu{core} "):
                user, nice, system, _idle, _iowait, irq, softirq, steal = map(
                    int, line.split()[1:9])
                return (user + nice + system + irq + softirq + steal) / TICK
    raise BenchError(f"/proc/stat has no cpu{core}")
