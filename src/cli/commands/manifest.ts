import { Option, type Command } from "commander";
import { serveManifest } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { collect } from "../options.ts";
import { serveManifestRequestOf, type ServingFlags } from "../serving-words.ts";

/** `slipway manifest IMAGE|DIR`. */
export const define: CommandModule["define"] = (command, { session, reporter }) => {
  addPodOptions(
    addTrafficOptions(
      command
        .argument("<image-or-folder>", "a pushed image, or a project whose image: was pushed")
        .option(
          "--kind <kind>",
          "deployment, seldon, inferenceservice or servingruntime",
          "deployment",
        )
        .option("--name <name>", "of the objects (default: the model's)")
        .option("--namespace <name>", "where they go"),
    ),
  )
    .option("--set <path=value>", "any other field; KIND:PATH=VALUE of another object", collect)
    .option("-f, --file <file>", "write the objects there")
    .option("--helm <folder>", "write a small chart with values there")
    .option("--apply", "hand the objects to kubectl")
    .option("--diff", "say how they differ from those of the cluster")
    .option("--context <name>", "with --apply or --diff: kubectl's context")
    .addHelpText(
      "after",
      "\nOne object a document, in an order that never changes. What needs more than a plain cluster (--gateway, --monitor, --keda) is off.\n\nExample:\n  slipway manifest registry.example.com/team/iris:v1 --cpus 1 --memory 512Mi --apply\n  slipway manifest ./iris --autoscale cpu=70 --min 2 --max 10 --cpus 1 --memory 1Gi --diff",
    )
    .action(async (target: string, flags: ServingFlags) => {
      const { objects, yaml, answer } = await serveManifest(
        serveManifestRequestOf(target, flags),
        session,
      );
      const { apply, diff, file, helm } = flags;
      const isShown = [apply, diff, file, helm].every((flag) => flag === undefined);
      for (const line of isShown ? yaml.trimEnd().split("\n") : answer) reporter.line(line);
      reporter.result({ objects });
    });
};

function addTrafficOptions(command: Command): Command {
  return command
    .option("--replicas <count>", "pods (default: 2)")
    .option("--autoscale <measure=target>", "cpu=PERCENT, inflight=REQUESTS or wait=SECONDS")
    .option("--min <count>", "with --autoscale: least pods (default: 2)")
    .option("--max <count>", "with --autoscale: most pods (default: 10)")
    .option("--keda [prometheus]", "with --autoscale: a ScaledObject, which asks this Prometheus")
    .option("--canary <image=percent>", "a second image with a share of the requests")
    .option("--shadow <image=percent>", "an image that gets copies of requests; needs --gateway")
    .option("--gateway <name>", "routes of this Gateway, as NAME or NAMESPACE/NAME")
    .option("--host <name>", "with --gateway: host of the routes", collect)
    .addOption(
      new Option("--monitor <object>", "have Prometheus' operator read the metrics").choices([
        "service",
        "pod",
      ]),
    )
    .option("--network-policy [namespaces]", "let in the own namespace and these, nobody else")
    .option("--no-engine", "seldon: straight to the model, without the executor")
    .option("--storage-uri <uri>", "inferenceservice: a model that a ServingRuntime serves");
}

function addPodOptions(command: Command): Command {
  return command
    .option("--cpus <quantity>", "such as 2 or 500m")
    .option("--memory <quantity>", "such as 2Gi")
    .option("--gpus <count>", "graphics cards of a pod")
    .option("--gpu-resource <name>", "what the cluster calls a card (default: nvidia.com/gpu)")
    .option("--shm <quantity>", "size of /dev/shm (default: the node's 64 MiB)")
    .addOption(
      new Option("--weights <way>", "mount the weights image, or copy out of it").choices([
        "volume",
        "init",
      ]),
    )
    .option("--weights-image <name>", "image with the model's files under /models")
    .addOption(new Option("--probes <protocol>", "of probes").choices(["http", "grpc"]))
    .option("--startup <seconds>", "time that a start may take (default: 600)")
    .option("--timeout <seconds>", "time that a request may take when its pod ends (default: 60)")
    .option("--settle <seconds>", "time until every node has forgotten a pod (default: 5)")
    .addOption(
      new Option("--drain <how>", "wait for that in the pod, or in the server").choices([
        "sleep",
        "server",
      ]),
    )
    .option("-e, --env <name=value>", "variable of the server; may come more than once", collect)
    .option("--secret-env <name=secret/key>", "variable out of a Secret of the cluster", collect)
    .option("--pull-secret <name>", "secret with the registry's credential")
    .option("--service-account <name>", "as whom the pods talk to the cluster (default: nobody)")
    .option("--priority-class <name>", "priority of the pods")
    .option("--node-selector <label=value>", "nodes to run on; may come more than once", collect)
    .option("--toleration <taint>", "KEY=VALUE:EFFECT, KEY or * of nodes that may be used", collect)
    .option("--run-as <uid[:gid]>", "run as this user (default: the image's)")
    .option("--annotation <key=value>", "of the first object; may come more than once", collect);
}
