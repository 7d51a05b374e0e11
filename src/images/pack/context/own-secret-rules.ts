/** A pattern of a secret in text, and words of which one stands in every match. */
export interface OwnRule {
  /** What it looks like, for people. */
  readonly what: string;
  /** Lower case. */
  readonly keywords: readonly string[];
  /** Group 1 is the secret where there is one; else the whole match. */
  readonly pattern: RegExp;
  /** Least Shannon entropy of the secret, in bits a character. Default: any. */
  readonly entropy?: number;
}

/** Files that hold secrets by their very name. */
export const SECRET_NAMES: readonly (readonly [RegExp, string])[] = [
  [
    /(^|\/)(?:[^/]+)?\.env(\.(?!(?:[^/]+\.)?(?:example|sample|template|dist|tpl|tmpl|md|py|js|ts)$)[^/]+)?$/,
    "an environment file",
  ],
  [/(^|\/)id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/, "an SSH private key"],
  [/\.ppk$/i, "a PuTTY private key"],
  [/\.(p12|pfx|jks|keystore|kdbx|keytab|pkcs12)$/i, "a key file"],
  [
    /(^|\/)[._](netrc|pgpass|git-credentials|pypirc|htpasswd|my\.cnf|s3cfg|boto|vault-token|dockercfg)$/,
    "a credential file",
  ],
  [/(^|\/)\.aws\/credentials$/, "AWS credentials"],
  [/(^|\/)\.docker\/config\.json$/, "a Docker configuration"],
  [/(^|\/)(\.kube\/config|[^/]*\.?kubeconfig)$/, "a Kubernetes configuration"],
  [
    /(^|\/)(application_default_credentials\.json|gcloud\/(credentials|access_tokens)\.db)$/,
    "Google Cloud credentials",
  ],
  [
    /(^|\/)\.azure\/(accessTokens\.json|msal_token_cache\.\w+|azureProfile\.json)$/,
    "Azure credentials",
  ],
  [/(^|\/)\.(?:cache\/)?huggingface\/(?:stored_)?tokens?$/, "a Hugging Face token"],
  [/(^|\/)(?:\.kaggle\/)?kaggle\.json$/, "Kaggle credentials"],
  [/(^|\/)\.cargo\/credentials(\.toml)?$/, "a cargo token"],
  [/(^|\/)\.gem\/credentials$/, "a RubyGems key"],
  [/(^|\/)\.streamlit\/secrets\.toml$/, "Streamlit secrets"],
  [/(^|\/)rclone\.conf$/, "an rclone configuration"],
];

const BASE64 = "[A-Za-z0-9+/]";

/** Kinds that the kept rule set does not have, or has more narrowly than our users need. */
export const OWN_RULES: readonly OwnRule[] = [
  {
    what: "a private key",
    keywords: ["private key"],
    pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----(?!["'`)])/,
  },
  {
    what: "a PuTTY private key",
    keywords: ["putty-user-key-file-"],
    pattern: /PuTTY-User-Key-File-\d+:/,
  },
  {
    what: "an AWS access key",
    keywords: ["akia", "asia"],
    pattern: /\b((?:AKIA|ASIA)[A-Z0-9]{16})\b/,
  },
  {
    what: "an AWS secret key",
    keywords: ["secret"],
    pattern:
      /(?:aws)?_?secret_?(?:access)?_?key["']?\s{0,4}(?:[:=,]|=>)\s{0,4}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/i,
    entropy: 3.5,
  },
  {
    what: "a GitHub token",
    keywords: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
    pattern: /\b((?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})\b/,
  },
  { what: "a GitLab token", keywords: ["glpat-"], pattern: /\b(glpat-[A-Za-z0-9_-]{20,})/ },
  { what: "a Hugging Face token", keywords: ["hf_"], pattern: /\b(hf_[A-Za-z]{30,})\b/ },
  {
    what: "an API key",
    keywords: ["sk-"],
    pattern:
      /(?<![\w-])(sk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]+-|or-v1-)?[A-Za-z0-9_]{20}[A-Za-z0-9_-]{12,})/,
    entropy: 3.5,
  },
  { what: "a Groq key", keywords: ["gsk_"], pattern: /\b(gsk_[A-Za-z0-9]{40,})\b/ },
  { what: "a Replicate token", keywords: ["r8_"], pattern: /\b(r8_[A-Za-z0-9]{37})\b/ },
  { what: "an NVIDIA API key", keywords: ["nvapi-"], pattern: /\b(nvapi-[A-Za-z0-9_-]{40,})/ },
  { what: "a Pinecone key", keywords: ["pcsk_"], pattern: /\b(pcsk_[A-Za-z0-9_]{40,})\b/ },
  {
    what: "a LangSmith key",
    keywords: ["lsv2_"],
    pattern: /\b(lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10})\b/,
  },
  {
    what: "a Weights & Biases key",
    keywords: ["wandb"],
    pattern:
      /wandb[\w. -]{0,30}["']?\s{0,4}[:=(,]\s{0,4}(?:key\s{0,2}=\s{0,2})?["']?([0-9a-f]{40})\b/i,
    entropy: 2.5,
  },
  {
    what: "a Kaggle key",
    keywords: ["kaggle"],
    pattern: /kaggle_?key["']?\s{0,4}[:=]\s{0,4}["']?([0-9a-f]{32})\b/i,
  },
  {
    what: "a Slack token",
    keywords: ["xox"],
    pattern: /\b(xox[abeprs](?:\.xox[bp])?-[A-Za-z0-9-]{20,})/,
  },
  { what: "a Google API key", keywords: ["aiza"], pattern: /\b(AIza[A-Za-z0-9_-]{35})/ },
  { what: "a Google OAuth secret", keywords: ["gocspx-"], pattern: /\b(GOCSPX-[A-Za-z0-9_-]{28})/ },
  { what: "a Google OAuth token", keywords: ["ya29."], pattern: /\b(ya29\.[A-Za-z0-9_-]{30,})/ },
  {
    what: "Google Cloud credentials",
    keywords: ["refresh_token"],
    pattern: /"refresh_token"\s{0,4}:\s{0,4}"([A-Za-z0-9/_.-]{30,})"/,
    entropy: 3,
  },
  {
    what: "an npm token",
    keywords: ["npm_", "_authtoken", "npmauthtoken"],
    pattern:
      /\b(npm_[A-Za-z0-9]{36})\b|(?:_authToken|npmAuthToken)["']?\s{0,4}[=:]\s{0,4}["']?(?![$"'\s])[^\s$"'{]{8,}/,
  },
  { what: "a PyPI token", keywords: ["pypi-ageiy"], pattern: /\b(pypi-AgEI[A-Za-z0-9_-]{50,})/ },
  {
    what: "registry credentials",
    keywords: ["auths", "identitytoken", "registrytoken"],
    pattern:
      /"auths"\s{0,20}:\s{0,20}\{[^}]{0,400}"auth"\s{0,4}:\s{0,4}"[A-Za-z0-9+/=]{8,}"|"(?:identitytoken|registrytoken)"\s{0,4}:\s{0,4}"[^"]{8,}"/,
  },
  {
    what: "a Kubernetes configuration",
    keywords: ["client-key-data", "kind: config"],
    pattern: new RegExp(
      `client-key-data:\\s{0,4}${BASE64}{40,}|\\bkind:\\s{0,4}Config\\b[^]{0,4000}\\n\\s+(?:token|password):\\s{0,4}[^\\s"'$<{]{8,}`,
    ),
  },
  {
    what: "an Azure storage key",
    keywords: ["accountkey", "account_key", "sharedaccesskey", "account-key"],
    pattern: new RegExp(
      `(?:Account_?Key|account-key|SharedAccessKey)["']?\\s{0,4}[=:]\\s{0,4}["']?(${BASE64}{42,86}=={0,1})`,
      "i",
    ),
    entropy: 3,
  },
  {
    what: "an Azure access signature",
    keywords: ["sig="],
    pattern: /[?&]sv=\d{4}-\d\d-\d\d&[^\s"']{0,400}sig=([A-Za-z0-9%+/]{40,}(?:%3D|=)?)/,
  },
  {
    what: "an Azure client secret",
    keywords: ["azure_client_secret", "client_secret", "clientsecret"],
    pattern:
      /client_?secret["']?\s{0,4}[:=]\s{0,4}["']?([A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}|[A-Za-z0-9_~.+/-]{32,64}=?)(?=["'\s]|$)/i,
    entropy: 3.5,
  },
  {
    what: "an Aliyun access key",
    keywords: ["ltai"],
    pattern: /\b(LTAI[A-Za-z0-9]{12,26})\b/,
    entropy: 3,
  },
  {
    what: "a Tencent Cloud key",
    keywords: ["akid"],
    pattern: /\b(AKID[A-Za-z0-9]{28,40})\b/,
    entropy: 3,
  },
  {
    what: "a Volcengine key",
    keywords: ["aklt"],
    pattern: /\b(AKLT[A-Za-z0-9]{30,64}=?=?)/,
    entropy: 3,
  },
  {
    what: "a cloud secret key",
    keywords: ["secret", "private_key", "privatekey"],
    pattern:
      /(?:access_?key_?secret|secret_?access_?key|secret_?key|secret_?id|private_?key)["']?\s{0,4}[:=]\s{0,4}["'](?=[^"']*\d)([A-Za-z0-9+/_-]{24,64}={0,2})["']/i,
    entropy: 3.7,
  },
  {
    what: "an authorization header",
    keywords: ["authorization"],
    pattern:
      /\bauthorization["']?\s{0,4}[:=,]\s{0,4}[bf]?["']?(?:bearer|basic|token|apikey|bce-auth-v1)\s{1,4}([A-Za-z0-9._~+/-]{16,}={0,2})/i,
    entropy: 3,
  },
  {
    what: "a JSON web token",
    keywords: ["eyj"],
    pattern: /\b(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,})/,
  },
  {
    what: "a Stripe key",
    keywords: ["sk_live_", "rk_live_", "sk_test_", "whsec_"],
    pattern: /\b((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{32,})/,
  },
  {
    what: "a Telegram token",
    keywords: [":aa"],
    pattern: /(?<![\w:])(\d{8,10}:AA[A-Za-z0-9_-]{33})(?![\w-])/,
  },
  {
    what: "a webhook address",
    keywords: ["webhook", "hooks.slack.com", "robot/send"],
    pattern:
      /https:\/\/(?:discord(?:app)?\.com\/api\/webhooks\/\d{15,}\/[\w-]{40,}|hooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}|oapi\.dingtalk\.com\/robot\/send\?access_token=[0-9a-f]{40,}|qyapi\.weixin\.qq\.com\/cgi-bin\/webhook\/send\?key=[0-9a-f-]{36}|open\.feishu\.cn\/open-apis\/bot\/v2\/hook\/[0-9a-f-]{36})/,
  },
  {
    what: "a WireGuard key",
    keywords: ["privatekey"],
    pattern: new RegExp(`\\bPrivateKey\\s{0,4}=\\s{0,4}(${BASE64}{43}=)`),
  },
  {
    what: "a netrc entry",
    keywords: ["machine"],
    pattern:
      /\bmachine\s{1,8}\S{1,100}\s{1,8}login\s{1,8}\S{1,100}\s{1,8}password\s{1,8}([^\s$<{]{6,})/,
  },
  {
    what: "a password in a URL",
    keywords: ["://"],
    pattern:
      /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@"'`<>]{0,64}:([^\s/:@"'`$<{]{6,200})@[a-z0-9.-]+/i,
  },
  {
    what: "a database password",
    keywords: ["password=", "pwd="],
    pattern:
      /\b(?:server|data source|host)=[^;"'\n]{1,100};[^"'\n]{0,300}\b(?:password|pwd)=([^;"'\s$<{]{6,})/i,
  },
];
