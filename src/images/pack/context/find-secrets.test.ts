import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../../ground/process/index.ts";
import {
  findSecrets,
  findSecretsInSettings,
  refuseSecrets,
  type SecretFinding,
} from "./find-secrets.ts";
import { walkProject } from "./walk.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const ALNUM = `${LOWER}${LOWER.toUpperCase()}0123456789`;
const HEX = "0123456789abcdef";

/** Text that looks random and is always the same; no real secret stands in this file. */
function random(length: number, alphabet = ALNUM): string {
  const bytes: number[] = [];
  for (let block = 0; bytes.length < length; block += 1)
    bytes.push(...createHash("sha512").update(`${length} ${alphabet} ${block}`).digest());
  return bytes
    .slice(0, length)
    .map((byte) => alphabet[byte % alphabet.length])
    .join("");
}

const hex = (length: number): string => random(length, HEX);
const upper = (length: number): string => random(length, `${LOWER.toUpperCase()}234567`);

async function scan(path: string, content: string | Uint8Array): Promise<readonly SecretFinding[]> {
  await using folder = await createTempDir("slipway-secrets");
  const file = join(folder.path, path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, content);
  return await findSecrets(await walkProject(folder.path, { ignore: ["!**"] }), []);
}

const PRIVATE = "PRIVATE KEY-----";

/** Kind, file, content. */
const SECRETS: readonly (readonly [kind: string, path: string, content: string | Uint8Array])[] = [
  ["environment file", ".env", "A=1"],
  ["environment file of a stage", "deploy/prod.env", "A=1"],
  ["environment file with a suffix", ".env.production", "A=1"],
  ["SSH key by name", "id_ed25519", "x"],
  ["RSA key", "a.txt", `-----BEGIN RSA ${PRIVATE}\nMII`],
  ["OpenSSH key", "a.txt", `-----BEGIN OPENSSH ${PRIVATE}\nb3B`],
  ["PGP key", "a.asc", `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ`],
  ["PuTTY key by name", "me.ppk", "x"],
  ["PuTTY key by content", "me.txt", "PuTTY-User-Key-File-3: ssh-ed25519\n"],
  ["PKCS 12 store", "cert.p12", Buffer.from([0x30, 0x82, 1, 2])],
  ["Java key store", "my.jks", Buffer.from([0xfe, 0xed, 0xfe, 0xed])],
  ["KeePass database", "my.kdbx", Buffer.from([3, 0xd9, 0xa2, 0x9a])],
  ["binary key", "tls.key", Buffer.from([0x30, 0x82, 4, 0xa3, 2, 1, 0])],
  ["lone token in a key file", "session.key", `${random(43)}\n`],
  ["netrc", ".netrc", "machine a"],
  ["netrc of Windows", "_netrc", "machine a"],
  ["netrc entry elsewhere", "setup.sh", "echo machine api.test login me password s3cretWord9 >> x"],
  ["pgpass", ".pgpass", "h:1:d:u:p"],
  ["git credentials", ".git-credentials", "x"],
  ["AWS access key", "a.py", `k = "AKIA${upper(16)}"`],
  ["AWS secret alone", "a.sh", `export AWS_SECRET_ACCESS_KEY=${random(40)}`],
  ["AWS secret in code", "a.py", `aws_secret_access_key="${random(40)}"`],
  ["AWS credentials file", ".aws/credentials", "x"],
  ["Google API key", "a.js", `key: "AIza${random(35)}"`],
  ["Google service account", "sa.json", `{"private_key": "-----BEGIN ${PRIVATE}\\nMIIE"}`],
  ["gcloud credentials by name", "application_default_credentials.json", "{}"],
  ["gcloud refresh token", "adc.json", `{"refresh_token": "1//0${random(60)}"}`],
  ["Google OAuth secret", "a.json", `"GOCSPX-${random(28)}"`],
  ["Google OAuth token", "a.txt", `ya29.${random(60)}`],
  [
    "Azure storage key",
    "a.py",
    `c = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${random(86)}=="`,
  ],
  ["Azure access signature", "a.txt", `https://a.test/c?sv=2022-11-02&sp=r&sig=${random(43)}%3D`],
  ["Azure client secret", "a.env.py", `AZURE_CLIENT_SECRET = "abc8Q~${random(34)}"`],
  ["Aliyun key", "a.py", `id = "LTAI5t${random(18)}"`],
  ["Aliyun secret", "a.py", `access_key_secret = "${random(30)}"`],
  ["Tencent Cloud key", "a.py", `secretId = "AKID${random(32)}"`],
  ["kubeconfig by name", ".kube/config", "x"],
  [
    "kubeconfig by content",
    "cluster.yaml",
    `kind: Config\nusers:\n- user:\n    client-key-data: ${random(80)}`,
  ],
  [
    "kubeconfig with a token",
    "c.yaml",
    `apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: ${random(40)}\n`,
  ],
  ["Kubernetes secret", "s.yaml", `kind: Secret\ndata:\n  password: ${random(24)}\n`],
  ["Docker auth", "config.json", '{"auths": {"r.test": {"auth": "dXNlcjpwYXNz"}}}'],
  ["Docker identity token", "d.json", `{"auths":{"r.test":{"identitytoken":"${random(40)}"}}}`],
  ["GitHub token", "a.py", `t = "ghp_${random(36)}"`],
  ["GitHub fine-grained token", "a.py", `t = "github_pat_${random(82)}"`],
  ["GitLab token", "a.py", `t = "glpat-${random(20)}"`],
  ["Hugging Face token", "a.py", `t = "hf_${random(34, LOWER)}"`],
  ["Hugging Face token file", ".cache/huggingface/token", "x"],
  ["OpenAI key", "a.py", `k = "sk-${random(20)}T3BlbkFJ${random(20)}"`],
  ["OpenAI project key", "a.py", `k = "sk-proj-${random(60)}"`],
  ["Anthropic key", "a.py", `k = "sk-ant-api03-${random(93)}AA"`],
  ["key of a model service", "a.py", `k = "sk-${hex(32)}"`],
  ["Groq key", "a.py", `k = "gsk_${random(52)}"`],
  ["Replicate token", "a.py", `k = "r8_${random(37)}"`],
  ["Weights & Biases key", "a.py", `WANDB_API_KEY = "${hex(40)}"`],
  ["Kaggle file", "kaggle.json", "{}"],
  ["Kaggle key", "a.sh", `export KAGGLE_KEY=${hex(32)}`],
  ["Databricks token", "a.py", `t = "dapi${hex(32)}"`],
  ["Stripe key", "a.js", `k = "sk_live_${random(24)}"`],
  ["Slack token", "a.py", `t = "xoxb-123456789012-123456789012-${random(24)}"`],
  [
    "Slack webhook",
    "a.py",
    `u = "https://hooks.slack.com/services/T${upper(9)}/B${upper(9)}/${random(24)}"`,
  ],
  [
    "Discord webhook",
    "a.py",
    `u = "https://discord.com/api/webhooks/123456789012345678/${random(68)}"`,
  ],
  [
    "DingTalk webhook",
    "a.py",
    `u = "https://oapi.dingtalk.com/robot/send?access_token=${hex(64)}"`,
  ],
  ["Telegram token", "a.py", `t = "123456789:AA${random(33)}"`],
  ["SendGrid key", "a.py", `k = "SG.${random(22)}.${random(43)}"`],
  ["Twilio key", "a.py", `k = "SK${hex(32)}"`],
  ["npm token", ".npmrc", `//registry.test/:_authToken=${random(36)}`],
  ["npm token in code", "a.js", `t = "npm_${random(36)}"`],
  ["PyPI token", "a.py", `t = "pypi-AgEIcHlwaS5vcmc${random(70)}"`],
  ["JSON web token", "a.py", `t = "eyJ${random(30)}.eyJ${random(40)}.${random(43)}"`],
  ["bearer header", "a.py", `h = {"Authorization": "Bearer ${random(40)}"}`],
  ["basic header", "a.sh", `curl -H 'Authorization: Basic ${random(32)}' https://a.test`],
  ["password in a URL", "a.py", 'u = "postgres://user:hunter22@db.test/x"'],
  [
    "database connection string",
    "a.cfg",
    "c=Server=db.test;Database=x;User=sa;Password=Passw0rdLong;",
  ],
  ["WireGuard key", "wg.conf", `PrivateKey = ${random(43)}=`],
  ["age key", "a.txt", `AGE-SECRET-KEY-1${random(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")}`],
  ["Vault token", "a.sh", `VAULT_TOKEN=hvs.${random(95)}`],
  ["generic key", "a.py", `API_KEY = "${hex(32)}"`],
  ["generic password", "a.yaml", `password: "${random(16)}"`],
  ["UTF-16 with a mark", "a.ps1", Buffer.from(`\ufeff$k = "AKIA${upper(16)}"\r\n`, "utf16le")],
  ["UTF-16 without a mark", "a.txt", Buffer.from(`token is ghp_${random(36)}\r\n`, "utf16le")],
  [
    "notebook past 1 MiB",
    "a.ipynb",
    `{"png": "${random(64).repeat(30_000)}", "s": "hf_${random(34, LOWER)}"}`,
  ],
];

for (const [kind, path, content] of SECRETS) {
  test(`a secret is found: ${kind}`, async () => {
    const found = await scan(path, content);
    assert.ok(
      found.some((finding) => finding.path === path),
      `nothing in ${path}`,
    );
  });
}

const LOOKALIKES: readonly (readonly [kind: string, path: string, content: string | Uint8Array])[] =
  [
    ["an example of settings", ".env.example", "TOKEN="],
    ["a template of settings", "prod.env.template", "TOKEN="],
    [
      "the name of a lesson",
      "a.py",
      'u = "https://a.test/sk-learn-intro-to-machine-learning-with-scikit"',
    ],
    ["AWS' documented key", "README.md", "AKIAIOSFODNN7EXAMPLE"],
    [
      "AWS' documented secret",
      "README.md",
      "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ],
    ["a certificate", "ca.pem", "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----"],
    ["a public key", "a.key", "-----BEGIN PUBLIC KEY-----\nMIIC"],
    ["an SSH public key", "id_rsa.pub", "ssh-rsa AAAAB3NzaC1yc2E me@host"],
    ["a list of keys of a model", "layer.key", "encoder.weight\ndecoder.weight\n"],
    ["a presentation", "talk.key", Buffer.from("PK\u0003\u0004\0\0\0\0")],
    ["a header in code", "a.py", `if text.startswith("-----BEGIN RSA ${PRIVATE}"): pass`],
    ["a placeholder in a URL", "a.py", 'u = "https://user:${PASSWORD}@db.test/x"'],
    ["a placeholder in braces", "a.py", 'u = f"https://user:{password}@db.test/x"'],
    ["angle brackets", "README.md", "https://user:<password>@db.test"],
    ["a placeholder token", "README.md", "export HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ["a documented key", "README.md", 'OPENAI_API_KEY="sk-your-key-goes-here-and-nowhere-else-ok"'],
    ["a variable read", "a.py", 'token = os.environ["HF_TOKEN"]'],
    ["an argument", "a.py", "client = Client(api_key=settings.api_key, token=args.token)"],
    ["the name of a layer", "a.py", 'key = "encoder.layer4.1.conv2.weight"'],
    [
      "the name of a model",
      "a.py",
      'tokenizer = "distilbert-base-uncased-finetuned-sst-2-english"',
    ],
    ["special tokens", "a.py", 'pad_token = "<pad>"; eos_token_id = 50256; token_type_ids = None'],
    ["a commit", "a.py", 'revision = "4d6c3f1b9e8a7c5d2f0b1a3c4e5d6f7a8b9c0d1e"'],
    ["a checksum", "a.txt", `sha256:${hex(64)}`],
    ["hashes of requirements", "requirements.txt", `six==1.17.0 --hash=sha256:${hex(64)}`],
    ["a UUID", "a.py", 'run_id = "014df517-39d1-4453-b7b3-9930c563627c"'],
    ["a lock", "package-lock.json", `{"integrity": "sha512-${random(86)}=="}`],
    ["an Azure account without its key", "a.py", "AccountName=models;AccountKey=<key>;"],
    ["a bearer header with a variable", "a.py", 'h = {"Authorization": f"Bearer {token}"}'],
    ["a bearer header of documents", "README.md", "Authorization: Bearer $TOKEN"],
    [
      "a Docker configuration without logins",
      "docker.json",
      '{"auths": {"r.test": {}}, "credsStore": "desktop"}',
    ],
    ["a picture in base64", "a.py", `image = "data:image/png;base64,${random(400)}"`],
    ["vocabulary", "vocab.txt", "token\nsecret\npassword\nakia\nkey\n"],
    ["merges of a tokenizer", "merges.txt", "#version: 0.2\ns k\nsk -\np assword\n"],
    [
      "a configuration of a model",
      "config.json",
      '{"token_dropout": 0.1, "key_dim": 64, "hidden_act": "gelu_new", "num_key_value_heads": 8}',
    ],
    [
      "generation settings",
      "generation_config.json",
      '{"bos_token_id": 128000, "eos_token_id": [128001, 128009]}',
    ],
    ["a port after a host", "a.py", 'u = "http://127.0.0.1:9000/predict"'],
    ["an image's digest in a URL", "a.py", `u = "docker://registry.test:5000/a@sha256:${hex(64)}"`],
    ["a git address", "a.sh", "git clone git@github.test:team/repo.git"],
    ["an author", "setup.py", 'author = "Jane Doe", author_email = "jane@example.com"'],
    ["a kubeconfig without secrets", "c.yaml", "kind: Config\nclusters: []\nusers: []\n"],
    [
      "a secret taken from elsewhere",
      "d.yaml",
      "env:\n- name: TOKEN\n  valueFrom:\n    secretKeyRef: {name: a, key: b}\n",
    ],
    ["a password prompt", "a.py", 'password = getpass.getpass("password: ")'],
    ["stars", "a.yaml", 'password: "****************"'],
    ["weights", "model.bin", Buffer.from(`\0\0\0\u0001ghp_${random(36)}`)],
  ];

for (const [kind, path, content] of LOOKALIKES) {
  test(`a look-alike is no secret: ${kind}`, async () => {
    assert.deepEqual(await scan(path, content), []);
  });
}

test("the tables are as long as they claim", () => {
  assert.ok(SECRETS.length >= 60 && LOOKALIKES.length >= 40);
});

test("variables and labels of the project are scanned, and can be allowed by name", async () => {
  const settings = {
    env: { HF_TOKEN: `hf_${random(34, LOWER)}`, MODE: "fast", AWS_SECRET_ACCESS_KEY: random(40) },
    labels: { "org.example.token": `ghp_${random(36)}`, team: "search" },
  };
  assert.deepEqual(
    (await findSecretsInSettings(settings)).map(({ path }) => path),
    ["env.HF_TOKEN", "env.AWS_SECRET_ACCESS_KEY", "labels.org.example.token"],
  );
  await assert.rejects(refuseSecrets([], { allow: ["labels.*"], settings }), (error: Error) => {
    assert.match(error.message, /2 secrets .*env\.HF_TOKEN/);
    assert.ok(!error.message.includes("hf_") && !error.message.includes("labels"));
    return true;
  });
  await refuseSecrets([], { allow: ["env.*", "labels.*"], settings });
});

test("long hostile text is scanned in bounded time", async () => {
  const texts = [
    "token".repeat(200_000),
    "a.".repeat(500_000),
    "secret=".repeat(140_000),
    `key:${" ".repeat(1_000_000)}`,
  ];
  for (const text of texts) {
    const startedAt = performance.now();
    await scan("a.py", text);
    assert.ok(performance.now() - startedAt < 20_000, text.slice(0, 20));
  }
});
