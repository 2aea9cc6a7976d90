"""Runs one child process and tells what it used; the only place that reads clocks, resource usage and /proc."""

import os
import signal
import statistics
import subprocess
import tempfile


class Failed(Exception):
    """A child that could not run, ended badly or printed something else than it should."""


class Run:
    """What one finished child left behind: its lines of output, CPU seconds (user + system) and peak memory in bytes."""

    def __init__(self, lines, cpu_seconds, peak_bytes):
        self.lines = lines
        self.cpu_seconds = cpu_seconds
        self.peak_bytes = peak_bytes


def run(command, timeout=600):
    """Runs `command` to its end. CPU time comes from wait4, so it is that of this child and of nothing else."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from error
        previous = signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.alarm(timeout)
        try:
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, previous)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read().decode(errors="replace")
        if child.returncode != 0:
            said = errors.read().decode(errors="replace").strip().splitlines()
            detail = said[0][:160] if said else "no message"
            raise Failed(f"exit {child.returncode}: {detail}")
        return Run(text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"),
                   usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def same_results(ours, theirs):
    """Checksums agree: integers exactly, floating-point numbers to 1e-12 relative (the operations are the same ones)."""
    if ours == theirs:
        return True
    try:
        a, b = float(ours), float(theirs)
    except ValueError:
        return False
    if "." not in ours + theirs and "e" not in (ours + theirs).lower():
        return False
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b))


class Comparison:
    """Alternating runs of our side and a peer: A B A B."""

    def __init__(self, ours, peer, ratios):
        self.ours = ours
        self.peer = peer
        self.ratios = ratios

    @property
    def ratio(self):
        return statistics.median(self.ratios)


def compare(ours, peer, pairs, figure):
    """Runs both commands alternately; `figure` turns a Run into the number that is compared (smaller is better)."""
    our_figures, peer_figures, ratios = [], [], []
    for _ in range(pairs):
        a = run(ours)
        b = run(peer)
        if not same_results(a.lines[0], b.lines[0]):
            raise Failed(f"results differ: ours {a.lines[0]}, peer {b.lines[0]}")
        our_figures.append(figure(a))
        peer_figures.append(figure(b))
        ratios.append(our_figures[-1] / max(peer_figures[-1], 1e-9))
    return Comparison(statistics.median(our_figures), statistics.median(peer_figures), ratios)


def cpu_seconds(result):
    return result.cpu_seconds


def printed_nanoseconds(result):
    """The second line: what the program itself measured with the CPU clock of its process."""
    return float(result.lines[1])


class Footprint:
    """Memory and mappings of a process that has said it is ready."""

    def __init__(self, resident_bytes, executable_mappings, writable_executable_mappings):
        self.resident_bytes = resident_bytes
        self.executable_mappings = executable_mappings
        self.writable_executable_mappings = writable_executable_mappings


def footprint(command, timeout=600):
    """Starts `command`, waits for its first line, reads /proc and ends it."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        previous = signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.alarm(timeout)
        try:
            if child.stdout.readline() != b"ready\n":
                child.kill()
                child.wait()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().splitlines()
                raise Failed(f"exit {child.returncode}: {said[0][:160] if said else 'no message'}")
            resident = 0
            with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
                for line in status:
                    if line.startswith("VmRSS:"):
                        resident = int(line.split()[1]) * 1024
            executable = writable = 0
            with open(f"/proc/{child.pid}/maps", encoding="utf-8") as maps:
                for line in maps:
                    permissions, path = line.split()[1], line.split()[5:]
                    # Code of the program and its libraries is a file with a name; ours is anonymous or a memory file.
                    if "x" not in permissions or (path and path[0].startswith("/") and "memfd" not in path[0]):
                        continue
                    if path and path[0] in ("[vdso]", "[vsyscall]"):
                        continue
                    executable += 1
                    writable += "w" in permissions
            return Footprint(resident, executable, writable)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, previous)
            child.kill()
            child.wait()
            child.stdout.close()
