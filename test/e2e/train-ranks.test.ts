import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { debianPlace, engineEnvironment } from "../support/debian-place.ts";
import { type PackPlace } from "../support/pack-place.ts";

/** A batch is shared out among the ranks; torch averages the gradients, so one process with the whole batch must do the same. */
const TRAIN = `import argparse, os
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from uaitrain.arch.pytorch.uargs import add_uai_args

parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, required=True)
add_uai_args(parser)
args = parser.parse_args()
rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
torch.manual_seed(7)
X = torch.randn(512, 8, dtype=torch.float64)
y = torch.tanh(X @ torch.randn(8, 1, dtype=torch.float64)) + 0.1 * torch.randn(512, 1, dtype=torch.float64)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)).double()
if world > 1:
    dist.init_process_group("gloo")
    model = DistributedDataParallel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
whole = args.batch * world
for step in range(60):
    start = (step * whole) % 512
    rows = torch.arange(start, start + whole)[rank::world]
    loss = torch.nn.functional.mse_loss(model(X[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    shown = loss.detach().clone()
    if world > 1:
        dist.all_reduce(shown)
        shown /= world
    print("step=%d loss=%.12f" % (step, shown.item()))
if rank == 0:
    torch.save([p.tolist() for p in model.parameters()], os.path.join(args.output_dir, "model.pt"))
print("rank %d of %d is done with torch %s" % (rank, world, torch.__version__))
`;

/** Today's torch from PyPI, whose wheels carry CUDA and train without it as well. 3 GB to fetch and 5 GB on disk, once for a machine. */
const TORCH = "torch==2.15.0";

test("two ranks reduce: their losses are those of one process with the doubled batch", async (t) => {
  const tools = await debianPlace(t, ["python3-torch"]);
  if (tools === undefined) return;
  await tools.write({ "code/train.py": TRAIN, "data/none.txt": "" });
  await tools.done([
    "pytorch",
    "pack",
    "--bimg_name",
    "store:pybase",
    "--acc_type",
    "cpu",
    "--code_path",
    "code",
    "--mainfile_path",
    "train.py",
    "--uhub_registry",
    "localhost:1",
    "--uhub_imagename",
    "ranks",
    "--test_data_path",
    "data",
    "--test_output_path",
    "output",
    "--engine",
    "none",
  ]);

  await t.test("in a container, with Debian's torch", async (inner) => {
    const env = await engineEnvironment(inner, "docker", tools);
    if (env !== undefined) await checkRanks(tools, ["--engine", "docker"], env);
  });

  await t.test("on the host, with today's torch", async (inner) => {
    const torch = await pythonEnv(inner, { packages: [TORCH, "numpy"] });
    if (torch !== undefined) await checkRanks(tools, ["--host", "--python", torch.python], {});
  });
});

async function checkRanks(
  { done: slipway }: PackPlace,
  where: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const alone = await slipway(["train", "run", ...where, "--", "--batch", "32"], env);
  const both = await slipway(
    ["train", "run", ...where, "--nproc", "2", "--", "--batch", "16"],
    env,
  );
  const expected = lossesOf(alone.stderr, "");
  assert.equal(expected.length, 60);
  assert.ok((expected[0] ?? 0) > 2 * (expected.at(-1) ?? 1), "training learnt something");
  for (const rank of ["0", "1"]) {
    assert.match(
      both.stderr,
      new RegExp(`^\\[${rank}\\] rank ${rank} of 2 is done with torch `, "m"),
    );
    const losses = lossesOf(both.stderr, `[${rank}] `);
    assert.equal(losses.length, 60);
    for (const [step, loss] of losses.entries())
      assert.ok(
        Math.abs(loss - (expected[step] ?? Number.NaN)) < 1e-6,
        `rank ${rank}, step ${step}: ${loss} and ${expected[step]}`,
      );
  }
  assert.match(both.stdout, /model\.pt/);
}

function lossesOf(log: string, prefix: string): readonly number[] {
  return log
    .split("\n")
    .filter((line) => line.startsWith(`${prefix}step=`))
    .map((line) => Number(/loss=([\d.]+)/.exec(line)?.[1]));
}
