"""Starts the processes of a distributed job on one machine and speaks for all of them.

    python launch.py PLAN PROGRAM [ARGUMENT ...]

PLAN is JSON: {"cwd": ..., "tasks": [{"name": ..., "isService": ..., "env": {...}}]}. `{port:N}` in a value becomes the N-th free port. Lines
of a process come with its name before them. The first failure ends the rest and is the exit code; services end with the workers. Without
tasks there is one process, and its output is left alone. Signals are handed on, which the first process of a container would not get.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

PORT = re.compile(r"\{port:(\d+)\}")


def free_ports(count):
    """Ports that were free a moment ago; all are held at once, so that none comes twice."""
    held = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def with_ports(tasks):
    """The tasks' variables with real ports in them."""
    used = [int(found) for task in tasks for value in task["env"].values() for found in PORT.findall(value)]
    ports = free_ports(max(used) + 1 if used else 0)
    return [dict((name, PORT.sub(lambda match: str(ports[int(match.group(1))]), value)) for name, value in task["env"].items()) for task in tasks]


class Job(object):
    """Processes of one job, from start to end."""

    def __init__(self, tasks, program):
        self.tasks = tasks
        self.lock = threading.Lock()
        self.failed = None
        self.is_stopping = False
        self.processes = []
        self.readers = []
        for task, env in zip(tasks, with_ports(tasks)):
            process = subprocess.Popen(program, env=dict(os.environ, **env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            self.processes.append(process)
            reader = threading.Thread(target=self.copy_lines, args=(task["name"], process.stdout))
            reader.start()
            self.readers.append(reader)

    def copy_lines(self, name, stream):
        prefix = ("[%s] " % name).encode("utf-8")
        out = getattr(sys.stdout, "buffer", sys.stdout)
        for line in iter(stream.readline, b""):
            with self.lock:
                out.write(prefix + line if line.endswith(b"\n") else prefix + line + b"\n")
                out.flush()

    def stop(self, *_):
        self.is_stopping = True
        for process in self.processes:
            if process.poll() is None:
                process.terminate()

    def watch(self, name, process):
        code = process.wait()
        with self.lock:
            if code != 0 and self.failed is None and not self.is_stopping:
                self.failed = code
                sys.stderr.write("%s ended with exit code %d, so the others are stopped\n" % (name, code if code > 0 else 128 - code))
                sys.stderr.flush()
                self.stop()

    def run(self):
        """Waits for the end. Gives the exit code."""
        watchers = []
        for task, process in zip(self.tasks, self.processes):
            watcher = threading.Thread(target=self.watch, args=(task["name"], process))
            watcher.daemon = True
            watcher.start()
            watchers.append((task, watcher))
        for task, watcher in watchers:
            while not task.get("isService") and watcher.is_alive():
                watcher.join(0.2)
        stopped = self.is_stopping and self.failed is None
        self.stop()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in self.readers:
            reader.join()
        if self.failed is not None:
            return self.failed if self.failed > 0 else 128 - self.failed
        return 143 if stopped else 0


def run_alone(program):
    """One process, as if it had been started directly. Gives the exit code."""
    process = subprocess.Popen(program)

    def stop(*_):
        if process.poll() is None:
            process.terminate()

    hand_on(stop)
    code = process.wait()
    return code if code >= 0 else 128 - code


def hand_on(stop):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def main():
    plan = json.loads(sys.argv[1])
    if plan.get("cwd"):
        os.chdir(plan["cwd"])
    if not plan.get("tasks"):
        sys.exit(run_alone(sys.argv[2:]))
    job = Job(plan["tasks"], sys.argv[2:])
    hand_on(job.stop)
    sys.exit(job.run())


if __name__ == "__main__":
    main()
