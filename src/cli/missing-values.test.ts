import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommandName } from "../app/index.ts";
import { createCommand } from "./create-command.ts";
import { refuseMissingValues } from "./missing-values.ts";

const CASES: readonly {
  readonly of: CommandName;
  readonly args: readonly string[];
  readonly flag?: string;
}[] = [
  { of: "packdocker", args: ["self", "--uhub_username", "--no-push"], flag: "--uhub_username" },
  { of: "packdocker", args: ["keras", "--project_id", "--dry-run"], flag: "--project_id" },
  { of: "packdocker", args: ["tf", "--project-id", "--dry-run"], flag: "--project-id" },
  { of: "packdocker", args: ["keras", "--in_uhost", "--plan"], flag: "--in_uhost" },
  { of: "packdocker", args: ["mxnet", "--num_epoch", "--no-push"], flag: "--num_epoch" },
  { of: "packdocker", args: ["self", "--uhub_password", "--s3cret"], flag: "--uhub_password" },
  { of: "packdocker", args: ["self", "--uhub_password=--s3cret", "--no-push"] },
  { of: "packdocker", args: ["self", "--uhub_username", "-me", "--no-push"] },
  { of: "train", args: ["pack", "--driver", "--no-push"], flag: "--driver" },
  { of: "train", args: ["pack", "--train_params=--epochs 3", "--no-push"] },
  { of: "train", args: ["pack", "--train_params", "--epochs 3", "--no-push"] },
  { of: "train", args: ["run", "--nproc", "2", "--", "--epochs", "--x"] },
  { of: "pytorch", args: ["pack", "--uhub_username", "--dry-run"], flag: "--uhub_username" },
  { of: "tf", args: ["pack", "--ai_arch_v", "--no-push"], flag: "--ai_arch_v" },
  { of: "pack", args: ["--base", "--push"], flag: "--base" },
  { of: "pack", args: ["-t", "--push"], flag: "-t" },
  { of: "seldon-core-microservice", args: ["MyModel", "--service-type", "--x"] },
];

for (const { of, args, flag } of CASES)
  test(`${of} ${args.join(" ")}: ${flag === undefined ? "taken" : `${flag} has no value`}`, async () => {
    const command = await createCommand(
      of,
      () => assert.fail("making a parser reads what is around it"),
      () => assert.fail("making a parser runs the command"),
    );
    if (flag === undefined) return refuseMissingValues(command, args);
    assert.throws(
      () => refuseMissingValues(command, args),
      (error: Error & { readonly code?: string }) =>
        error.code === "USAGE" && error.message.includes(flag) && !error.message.includes("s3cret"),
    );
  });
