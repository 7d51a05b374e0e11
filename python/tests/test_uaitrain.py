"""The helpers that old training scripts import, and the launcher of several processes."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Dict, List, Tuple

COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")
sys.path.insert(0, COMPAT)

from uaitrain.arch.caffe.arguments import make_parser  # noqa: E402
from uaitrain.arch.caffe.train_large_file import join_slices  # noqa: E402
from uaitrain.arch.mxnet import uargs as mxnet_uargs  # noqa: E402
from uaitrain.arch.pytorch import uargs as pytorch_uargs  # noqa: E402
from uaitrain.arch.tensorflow import uai_dist  # noqa: E402

LAUNCHER = os.path.join(COMPAT, "uaitrain", "launch.py")


# As much of absl as the flags need.
ABSL_FLAGS = """
class Flags:
    def __init__(self):
        self.values = {}
    def __contains__(self, name):
        return name in self.values
    def set_default(self, name, value):
        self.values[name] = value
    def __getattr__(self, name):
        return self.__dict__["values"][name]
    def __call__(self, words):
        for word in words[1:]:
            name, value = word[2:].split("=")
            self.values[name] = int(value)

FLAGS = Flags()

def DEFINE_string(name, default, text):
    FLAGS.values[name] = default

DEFINE_integer = DEFINE_string
"""

# It has a flag of the same name, and minds when another was first.
ABSL_LOGGING = """
from absl import flags
assert "log_dir" not in flags.FLAGS, "the flag log_dir is defined twice"
flags.DEFINE_string("log_dir", "/tmp", "")
"""


class ArgumentsTest(unittest.TestCase):
    def test_scripts_take_what_the_executor_passes(self) -> None:
        for uargs in (pytorch_uargs, mxnet_uargs):
            parser = argparse.ArgumentParser()
            uargs.add_uai_args(parser)
            folders = {"work_dir": "/data", "data_dir": "/data/data", "output_dir": "/data/output", "log_dir": "/data/output"}
            self.assertEqual(vars(parser.parse_args([])), dict(folders, num_gpus=None))
            self.assertEqual(parser.parse_args(["--num_gpus=2", "--log_dir=/x"]).num_gpus, 2)

    def test_caffe_takes_the_processor_as_a_word(self) -> None:
        args = make_parser().parse_args(["--solver=s", "--use_cpu=True", "--work_dir=/data"])
        self.assertEqual((args.use_cpu, args.num_gpus, args.snapshot), (True, 1, None))
        self.assertFalse(make_parser().parse_args(["--solver=s", "--use_cpu=False"]).use_cpu)

    def test_tensorflow_flags_are_defined_by_the_import(self) -> None:
        use = "from uaitrain.arch.tensorflow.uflag import FLAGS; FLAGS(['x', '--num_gpus=3']); import absl.logging; "
        code = use + "print(FLAGS.num_gpus, FLAGS.data_dir, FLAGS.log_dir, FLAGS.max_step)"
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "absl"))
            for name, text in (("__init__.py", ""), ("flags.py", ABSL_FLAGS), ("logging.py", ABSL_LOGGING)):
                with open(os.path.join(folder, "absl", name), "w") as file:
                    file.write(text)
            out = subprocess.check_output([sys.executable, "-c", code], env=dict(os.environ, PYTHONPATH=os.pathsep.join([folder, COMPAT])))
        self.assertEqual(out.split(), [b"3", b"/data/data", b"/data/output", b"0"])


class ClusterTest(unittest.TestCase):
    def setUp(self) -> None:
        self.before = os.environ.pop("TF_CONFIG", None)
        self.addCleanup(self.restore)

    def restore(self) -> None:
        os.environ.pop("TF_CONFIG", None)
        if self.before is not None:
            os.environ["TF_CONFIG"] = self.before

    def test_what_is_written_is_read(self) -> None:
        uai_dist.UAITensorFlowDistRunConfig("a:1", "b:2", "c:3,d:4", "worker", 1).generate_cluster()
        parser = uai_dist.UAITensorFlowDistRunConfigParser()
        self.assertTrue(parser.is_dist())
        parser.load_cluster_config()
        self.assertEqual(parser.get_worker_list(), ["a:1", "c:3", "d:4"])
        self.assertEqual((parser.get_task_id(), parser.num_worker(), parser.num_ps(), parser.is_chief(), parser.is_ps()), (2, 3, 1, False, False))

    def test_a_process_alone_is_no_cluster(self) -> None:
        self.assertFalse(uai_dist.UAITensorFlowDistRunConfigParser().is_dist())


class SlicesTest(unittest.TestCase):
    def test_slices_are_joined_in_order_and_removed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for number, text in ((2, "b"), (1, "a"), (10, "c")):
                with open(os.path.join(folder, "x-part%04d" % number), "w") as file:
                    file.write(text)
            self.assertEqual(join_slices(folder, "x-part", "x"), 3)
            with open(os.path.join(folder, "x")) as file:
                self.assertEqual(file.read(), "abc")
            self.assertEqual(os.listdir(folder), ["x"])


class LauncherTest(unittest.TestCase):
    def launch(self, plan: Dict[str, object], code: str) -> Tuple[int, List[str]]:
        command = [sys.executable, LAUNCHER, json.dumps(plan), sys.executable, "-c", code]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return result.returncode, result.stdout.decode().splitlines()

    def test_every_process_has_its_variables_and_its_name_before_its_lines(self) -> None:
        tasks = [{"name": str(rank), "isService": False, "env": {"RANK": str(rank), "PORT": "{port:0}"}} for rank in range(3)]
        code, lines = self.launch({"tasks": tasks}, "import os; print(os.environ['RANK'], os.environ['PORT'])")
        self.assertEqual(code, 0)
        ports = {line.split()[2] for line in lines}
        self.assertEqual(len(ports), 1)
        self.assertTrue(ports.pop().isdigit())
        self.assertEqual(sorted(line.split()[:2] for line in lines), [["[%d]" % rank, str(rank)] for rank in range(3)])

    def test_a_failure_ends_the_others_and_is_the_exit_code(self) -> None:
        tasks = [{"name": name, "isService": False, "env": {"NAME": name}} for name in ("a", "b")]
        code, _ = self.launch({"tasks": tasks}, "import os, sys, threading; os.environ['NAME'] == 'b' and sys.exit(5); threading.Event().wait()")
        self.assertEqual(code, 5)

    def test_services_end_with_the_workers(self) -> None:
        tasks = [{"name": "worker", "isService": False, "env": {"NAME": "w"}}, {"name": "ps", "isService": True, "env": {"NAME": "ps"}}]
        code, _ = self.launch({"tasks": tasks}, "import os, threading; os.environ['NAME'] == 'ps' and threading.Event().wait()")
        self.assertEqual(code, 0)

    def test_a_process_alone_is_as_if_it_were_started_directly(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            code, lines = self.launch({"cwd": folder, "tasks": []}, "import os, sys; print(os.getcwd()); sys.exit(4)")
        self.assertEqual((code, lines), (4, [os.path.realpath(folder)]))


class Shell(unittest.TestCase):
    def test_a_script_gets_its_parameters_and_gives_its_exit_code(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "run.sh")
            with open(script, "w") as file:
                file.write('echo "$1-$2"\nexit 7\n')
            compat = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")
            done = subprocess.run([sys.executable, "-m", "uaitrain.shell", script, "a b", "--c=d"], capture_output=True, text=True, cwd=compat, check=False)
            self.assertEqual((done.stdout, done.returncode), ("a b---c=d\n", 7))


if __name__ == "__main__":
    unittest.main()
