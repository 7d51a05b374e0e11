import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { joinParts, splitFile } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { collect, countOf } from "../options.ts";
import { addReachFlags } from "../registry-flags.ts";
import { packTraining, printTrainManifest, runTraining } from "../train-actions.ts";
import { addTrainPackOptions, frameworkOf, type TrainPackFlags } from "../train-flags.ts";
import type { TrainManifestFlags, TrainRunFlags } from "../train-words.ts";

/** `slipway train`. */
export const define: CommandModule["define"] = (command, cli) => {
  command
    .addHelpText("after", "\nExample:\n  slipway train pack --framework pytorch --help")
    .action(() => {
      throw new ToolError("USAGE", "train: it does not say what to do", {
        hint: "write `slipway train pack --framework pytorch …`",
      });
    });
  const pack = command
    .command("pack")
    .description("make a CPU and a GPU image from training code, and the commands that run them")
    .option("--framework <name>", "pytorch, tf, keras, caffe, mxnet or self");
  addTrainPackOptions(pack);
  pack
    .addHelpText(
      "after",
      "\nExample:\n  slipway train pack --framework pytorch --ai_arch_v pytorch-2.6.0 --code_path ./code --mainfile_path mnist.py \\\n    --uhub_registry registry.example.com/team --uhub_imagename mnist --test_data_path ./data --test_output_path ./output",
    )
    .action((flags: TrainPackFlags) => packTraining(frameworkOf(flags.framework), flags, cli));
  defineRun(command, cli);
  defineManifest(command, cli);
  defineParts(command, cli);
};

function defineRun(command: Command, cli: Cli): void {
  addReachFlags(command.command("run"))
    .description("run the local test of a packed job with docker or podman, and follow it")
    .argument("[parameters...]", "more parameters of the script, after --")
    .option("--plan <file>", "what train pack wrote (default: slipway-train.json)")
    .option("--image <name>", "another image than the plan's")
    .option("--data <folder>", "data to train on (default: the plan's)")
    .option("--output <folder>", "where the results go (default: the plan's)")
    .addOption(
      new Option(
        "--engine <name>",
        "use this engine (default: the one that answers, docker first)",
      ).choices(["docker", "podman"]),
    )
    .option("--gpus <which>", "run the GPU image on these cards, such as all")
    .option("--shm <size>", "size of /dev/shm, such as 8g (default: 1g)")
    .option(
      "--nproc <count>",
      "processes on this machine, with the environment of a distributed job",
    )
    .option("--servers <count>", "parameter servers beside them (tf, mxnet)")
    .option(
      "-e, --env <name=value>",
      "environment; NAME alone hands on this shell's value",
      collect,
    )
    .option("--host", "run on this machine, without a container")
    .option("--python <path>", "with --host: this Python (default: the active environment's)")
    .option("--svg <file>", "picture of the metrics (default: slipway-train.svg)")
    .option(
      "--metric <regex>",
      "form of a metric in the log, in place of the known ones; groups value (else the first), name and step; may come more than once",
      collect,
    )
    .option("--pull", "ask the registry, though the store has an image of that name")
    .addHelpText(
      "after",
      "\nMetrics are numbers printed in the forms that frameworks print or that --metric gives, and scalars of TensorBoard files in the output folder.\n\nExample:\n  slipway train run\n  slipway train run --nproc 2 -- --epochs 3",
    )
    .action((parameters: readonly string[], flags: TrainRunFlags) =>
      runTraining(parameters, flags, cli),
    );
}

function defineManifest(command: Command, cli: Cli): void {
  const manifest = command
    .command("manifest")
    .description("print the Kubernetes object that runs a packed job, or apply it")
    .argument("[parameters...]", "more parameters of the script, after --")
    .option("--plan <file>", "what train pack wrote (default: slipway-train.json)")
    .option(
      "--kind <kind>",
      "job, pytorchjob, tfjob, mpijob or trainjob (default: job for one node, else what the framework uses)",
    )
    .option("--name <name>", "of the object (default: the image's)")
    .option("--namespace <name>", "where it goes")
    .option("--nodes <count>", "nodes (default: 1)")
    .option("--servers <count>", "parameter servers of a tfjob")
    .option("--nproc <count>", "processes on a node (default: one for each card)")
    .option("--gpus <count>", "graphics cards of a node (default: 0)")
    .option("--cpus <quantity>", "such as 4 or 500m")
    .option("--memory <quantity>", "such as 16Gi")
    .option("--shm <quantity>", "size of /dev/shm (default: 1Gi)")
    .option(
      "--data <volume>",
      "pvc:NAME[/FOLDER] (default: pvc:NAME-data), nfs:HOST:/PATH, host:/PATH or empty",
    )
    .option("--output <volume>", "the same for results (default: pvc:NAME-output)")
    .option("--backoff <count>", "tries after the first (default: 3)")
    .option("--ttl <seconds>", "how long a finished job is kept (default: a day)")
    .option("--queue <name>", "queue of Kueue")
    .option("--pull-secret <name>", "secret with the registry's credential")
    .option("--runtime <name>", "of a trainjob (default: the framework's)")
    .addOption(
      new Option(
        "--trainer <version>",
        "Kubeflow Trainer of the cluster, for a trainjob (default: 2.2 and newer)",
      ).choices(["2.0", "2.1", "2.2"]),
    )
    .option("--node-selector <label=value>", "nodes to run on; may come more than once", collect)
    .option("-f, --file <file>", "write it there")
    .option("--apply", "hand it to kubectl")
    .option("--context <name>", "with --apply: kubectl's context")
    .addHelpText(
      "after",
      "\nExample:\n  slipway train manifest --gpus 1 --data pvc:mnist --output pvc:results\n  slipway train manifest --nodes 4 --gpus 8 --shm 16Gi --queue team --toleration nvidia.com/gpu --apply -- --epochs 90",
    )
    .action((parameters: readonly string[], flags: TrainManifestFlags) =>
      printTrainManifest(parameters, flags, cli),
    );
  addPodOptions(manifest);
}

/** What a cluster asks of pods. */
function addPodOptions(manifest: Command): void {
  manifest
    .option(
      "--toleration <taint>",
      "KEY=VALUE:EFFECT, KEY:EFFECT, KEY or * of nodes that may be used; may come more than once",
      collect,
    )
    .option("-e, --env <name=value>", "variable of the script; may come more than once", collect)
    .option("--secret-env <name=secret/key>", "variable out of a Secret of the cluster", collect)
    .option("--service-account <name>", "as whom the pods talk to the cluster")
    .option("--priority-class <name>", "priority of the pods")
    .option("--gpu-resource <name>", "what the cluster calls a card (default: nvidia.com/gpu)")
    .option("--run-as <uid[:gid]>", 'run as this user, as Pod Security "restricted" wants it')
    .option("--deadline <seconds>", "end the job after this time")
    .option("--grace <seconds>", "time between SIGTERM and SIGKILL (default: the cluster's)")
    .option(
      "--set <path=value>",
      "any other field of the object; may come more than once",
      collect,
    );
}

function defineParts(command: Command, cli: Cli): void {
  command
    .command("split")
    .description("cut a large file into parts of 128 MiB for transport")
    .argument("<folder>", "where the file is")
    .argument("<file>", "its name")
    .argument("<target>", "folder of the parts, NAME-part0001 and so on")
    .option("--size <mebibytes>", "of a part", countOf, 128)
    .addHelpText("after", "\nExample:\n  slipway train split /data train.lmdb /data/parts")
    .action(
      async (
        ...[folder, file, target, flags]: readonly [
          string,
          string,
          string,
          { readonly size: number },
        ]
      ) => {
        const parts = await splitFile(
          resolve(cli.session.cwd, folder, file),
          resolve(cli.session.cwd, target),
          { partBytes: flags.size * 2 ** 20, signal: cli.session.signal },
        );
        for (const part of parts) cli.reporter.line(part);
        cli.reporter.result({ parts });
      },
    );
  command
    .command("join")
    .description("put parts together again; they are removed once the file is whole")
    .argument("<folder>", "where the parts are")
    .argument("<prefix>", "what their names begin with")
    .argument("<target>", "the file")
    .option("--keep", "leave the parts")
    .addHelpText(
      "after",
      "\nExample:\n  slipway train join /data/parts train.lmdb /data/train.lmdb",
    )
    .action(
      async (
        ...[folder, prefix, target, flags]: readonly [
          string,
          string,
          string,
          { readonly keep?: boolean },
        ]
      ) => {
        const count = await joinParts(
          { folder: resolve(cli.session.cwd, folder), prefix },
          resolve(cli.session.cwd, target),
          { isKeeping: flags.keep, signal: cli.session.signal },
        );
        cli.reporter.line(`${target} from ${count} parts`);
        cli.reporter.result({ target, parts: count });
      },
    );
}
