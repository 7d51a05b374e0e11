"""The cluster of a distributed TensorFlow job: writes and reads `TF_CONFIG`."""

import json
import os


def _nodes(text):
    return [node.strip() for node in (text or "").split(",") if node.strip()]


class UAITensorFlowDistRunConfig(object):
    """Makes `TF_CONFIG` from comma-separated `host:port` lists."""

    def __init__(self, dist_master, ps_nodes, wk_nodes, task_type, task_idx):
        self.cluster = {"master": _nodes(dist_master), "ps": _nodes(ps_nodes), "worker": _nodes(wk_nodes)}
        self.task = {"type": task_type, "index": int(task_idx)}

    def to_json(self):
        """The text of the variable."""
        return json.dumps({"cluster": self.cluster, "task": self.task, "environment": "cloud"})

    def generate_cluster(self):
        """Puts it into this process's environment."""
        os.environ["TF_CONFIG"] = self.to_json()


class UAITensorFlowDistRunConfigParser(object):
    """Reads `TF_CONFIG`; a process without one trains alone."""

    def __init__(self):
        self.is_distributed = False
        self.cluster = {}
        self.task_type = "master"
        self.task_index = 0
        self.load_cluster_config()

    def load_cluster_config(self):
        """Reads the variable again."""
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        self.cluster = config.get("cluster") or {}
        task = config.get("task") or {}
        self.task_type = str(task.get("type", "master"))
        self.task_index = int(task.get("index", 0))
        self.is_distributed = bool(self.cluster)

    def is_dist(self):
        return self.is_distributed

    def is_chief(self):
        return self.task_type in ("master", "chief")

    def is_ps(self):
        return self.task_type == "ps"

    def get_ps_list(self):
        return list(self.cluster.get("ps") or [])

    def get_worker_list(self):
        """All that compute: the master first, then the workers."""
        return list(self.cluster.get("master") or self.cluster.get("chief") or []) + list(self.cluster.get("worker") or [])

    def num_ps(self):
        return len(self.get_ps_list())

    def num_worker(self):
        return len(self.get_worker_list())

    def get_task_id(self):
        """Place in `get_worker_list`, or among the parameter servers: a worker's is its index + 1."""
        return self.task_index + 1 if self.task_type == "worker" else self.task_index
