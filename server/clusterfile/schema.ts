/** The part of JSON Schema that describes Clusterfiles, and that `validate.ts` reads. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: SchemaType;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  /** Said when the pattern does not match; editors read it too. */
  readonly patternErrorMessage?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

export type SchemaType = "object" | "array" | "string" | "integer" | "boolean";

function text(description: string, more: Schema = {}): Schema {
  return { type: "string", description, ...more };
}

function flag(description: string, initial: boolean): Schema {
  return { type: "boolean", description, default: initial };
}

function list(description: string, items: Schema, minItems?: number): Schema {
  return { type: "array", description, items, ...(minItems === undefined ? {} : { minItems }) };
}

function object(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return {
    type: "object",
    description,
    properties,
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
  };
}

function strings(description: string): Schema {
  return { type: "object", description, additionalProperties: { type: "string" } };
}

const some: Schema = { minLength: 1 };
const anyText: Schema = { type: "string" };
const variables = (description: string): Schema => list(description, { $ref: "#/definitions/variable" });
const port = (description: string, more: Schema = {}): Schema => ({
  type: "integer",
  minimum: 1,
  maximum: 65535,
  description,
  ...more,
});

/** Phases of plugins that run on master0, and those that run on the hosts of a scope. */
export const clusterPhases: readonly string[] = [
  "pre-install",
  "post-install",
  "pre-uninstall",
  "post-uninstall",
  "pre-scaleup",
  "post-scaleup",
  "upgrade",
  "rollback",
];
export const hostPhases: readonly string[] = [
  "pre-init-host",
  "post-init-host",
  "pre-clean-host",
  "post-clean-host",
  "upgrade-host",
];
const phases = [...clusterPhases, ...hostPhases];
const processors = ["value", "toJson", "toBase64", "toSecret"];

function joined(names: readonly string[]): string {
  const one = `(?:${names.join("|")})`;
  return `^${one}(?:\\|${one})*$`;
}

const effects = "(?:NoSchedule|NoExecute|PreferNoSchedule)";

const shared: Readonly<Record<string, Schema>> = {
  variable: text("`KEY=VALUE`.", {
    pattern: "^[^=\\s]+=",
    patternErrorMessage: "Write `KEY=VALUE`.",
  }),
  ssh: object("How to log in to hosts.", {
    user: text("User to log in as.", { default: "root" }),
    passwd: text("Password. The cluster keeps the Clusterfile as it is: prefer `pk`."),
    pk: text("Path of the private key.", { default: "~/.ssh/id_rsa" }),
    pkPasswd: text("Passphrase of the private key."),
    port: text("Port of the SSH server, in quotes.", {
      pattern: "^[0-9]+$",
      patternErrorMessage: "Write a port number in quotes.",
      default: "22",
    }),
    encrypted: flag("Whether the password is encrypted.", false),
  }),
  host: object(
    "Hosts that are alike.",
    {
      ips: list("Addresses of the hosts: all IPv4, or all IPv6.", { type: "string", ...some }, 1),
      roles: list(
        "`master` and `node` mean something; any other is a label.",
        { type: "string", ...some, examples: ["master", "node"] },
        1,
      ),
      ssh: { $ref: "#/definitions/ssh" },
      env: variables("Variables of these hosts; they win over the cluster's."),
      labels: strings("Labels of the nodes."),
      taints: list("Taints of the nodes.", {
        type: "string",
        pattern: `^[^=:\\s]+(?:=[^:\\s]*)?:${effects}-?$|^[^=:\\s]+-$`,
        patternErrorMessage:
          "Write `key=value:Effect` or `key:Effect`, with `-` behind it to remove; effects are NoSchedule, PreferNoSchedule and NoExecute.",
      }),
    },
    ["ips", "roles"],
  ),
  metadata: {
    type: "object",
    description: "Metadata of the document.",
    properties: { name: text("Name; for a cluster, also of its folder on the hosts.", some) },
  },
};

const registry = object("Where hosts pull container images from.", {
  localRegistry: object("Registry that runs on the masters; wins over the external one.", {
    domain: text("Name of the registry.", { default: "sea.hub" }),
    port: port("Port of the registry.", { default: 5000 }),
    username: text("User of the registry."),
    password: text("Password of the registry."),
    ha: flag("Run the registry on every master.", true),
    insecure: flag("Serve HTTP instead of HTTPS.", false),
    cert: object("The registry's certificate.", {
      subjectAltName: object("What the certificate is for besides the domain.", {
        dnsNames: list("Further names.", anyText),
        ips: list("Further addresses.", anyText),
      }),
    }),
  }),
  externalRegistry: object(
    "Registry that is there already.",
    {
      domain: text("Name of the registry.", some),
      port: port("Port of the registry."),
      username: text("User of the registry."),
      password: text("Password of the registry."),
    },
    ["domain"],
  ),
});

const cluster = object(
  "What the cluster is.",
  {
    image: text("Cluster image to run.", some),
    env: variables("Variables that scripts and templates read. The last value of a key wins."),
    cmd: list("Commands to run instead of the image's.", anyText),
    cmd_args: list("Not used.", anyText),
    appNames: list('Applications to launch instead of the image\'s; `[""]` launches none.', anyText),
    ssh: { $ref: "#/definitions/ssh" },
    hosts: list("Hosts of the cluster. The first address with the role `master` is master0.", {
      $ref: "#/definitions/host",
    }),
    containerRuntime: object("Container runtime of every host.", {
      type: text("Wins over the image's label.", { enum: ["docker", "containerd"] }),
    }),
    hostAliases: list(
      "Lines for `/etc/hosts` of every host.",
      object("Names of an address.", { ip: text("Address.", some), hostnames: list("Names.", anyText, 1) }, [
        "ip",
        "hostnames",
      ]),
    ),
    registry,
    dataRoot: text("Folder for the cluster's files on every host.", { default: "/var/lib/sealer/data" }),
  },
  ["image"],
);

const config = object(
  "A file to write before hosts get it.",
  {
    path: text("File below the image's root, or below the application's folder with `appName`.", some),
    data: text("Content; YAML with `merge` and `process`."),
    appName: text("Application the file belongs to."),
    strategy: text("What happens to a file that is there.", { enum: ["overwrite", "merge"], default: "overwrite" }),
    process: text("What the data goes through, joined by `|`.", {
      pattern: joined(processors),
      patternErrorMessage: `Join ${processors.join(", ")} by \`|\`.`,
    }),
  },
  ["path", "data"],
);

const plugin = object(
  "A script, and when it runs.",
  {
    type: text("Kind of plugin.", { enum: ["SHELL"] }),
    action: text("Phases it runs in, joined by `|`.", {
      pattern: joined(phases),
      patternErrorMessage: `Join phases by \`|\`: ${phases.join(", ")}. Others never run.`,
      examples: phases,
    }),
    scope: text("Roles of the hosts it runs on, joined by `|`, in phases of hosts.", {
      pattern: "^[^|\\s]+(?:\\|[^|\\s]+)*$",
      patternErrorMessage: "Join roles by `|`.",
    }),
    data: text("Shell text."),
  },
  ["type", "action", "data"],
);

const application = object("Applications to launch, and their settings.", {
  cmds: list("Commands that replace everything else.", anyText),
  launchApps: list("Applications to launch.", anyText),
  configs: list(
    "Settings of applications.",
    object(
      "Settings of one application.",
      {
        name: text("Application they are for.", some),
        env: variables("Variables of the application's templates."),
        files: list(
          "Files to write.",
          object(
            "A file of the application.",
            {
              path: text("File below the application's folder.", some),
              data: text("Content."),
              strategy: text("What happens to a file that is there; must be said.", { enum: ["overwrite", "merge"] }),
            },
            ["path", "data", "strategy"],
          ),
        ),
        launch: object("How it is launched.", { cmds: list("Commands instead of what its type does.", anyText) }),
      },
      ["name"],
    ),
  ),
});

function document(kind: string, apiVersion: string, spec: Schema, required: readonly string[]): Schema {
  return object(
    spec.description ?? "",
    {
      apiVersion: text(`Version of the schema: \`${apiVersion}\`.`, { examples: [apiVersion] }),
      kind: { const: kind, description: "Kind of the document." },
      metadata: { $ref: "#/definitions/metadata" },
      spec,
      status: { description: "Written by tools; not read." },
    },
    required,
  );
}

const kubeadmKinds = [
  "InitConfiguration",
  "ClusterConfiguration",
  "JoinConfiguration",
  "KubeletConfiguration",
  "KubeProxyConfiguration",
];

function kubeadm(kind: string): Schema {
  return {
    type: "object",
    description: "Settings of kubeadm, kubelet or kube-proxy; they win over the computed ones.",
    required: ["apiVersion"],
    properties: { apiVersion: text("Version of the kind's schema."), kind: { const: kind } },
  };
}

/** The schema of each kind of document in a Clusterfile. @see sealer Clusterfile v2 */
export const documentSchemas: Readonly<Record<string, Schema>> = {
  Cluster: document("Cluster", "sealer.io/v2", cluster, ["kind", "metadata", "spec"]),
  Config: document("Config", "sealer.io/v1", config, ["kind", "spec"]),
  Plugin: document("Plugin", "sealer.io/v1", plugin, ["kind", "spec"]),
  Application: document("Application", "sealer.io/v2", application, ["kind", "spec"]),
  ...Object.fromEntries(kubeadmKinds.map((kind) => [kind, kubeadm(kind)])),
};

/** Schemas that others refer to as `#/definitions/NAME`. */
export const definitions: Readonly<Record<string, Schema>> = shared;

/** The whole as one JSON Schema, for `syntaxes/clusterfile.schema.json` and editors that read it. */
export function clusterfileSchema(): object {
  const kinds = Object.keys(documentSchemas);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Clusterfile",
    description:
      "One document of a Clusterfile: a cluster, files to write, scripts, applications, or settings of kubeadm.",
    type: "object",
    required: ["kind"],
    properties: {
      apiVersion: text("`sealer.io/v2` for Cluster and Application, `sealer.io/v1` for Config and Plugin."),
      kind: text("Kind of the document. sealer passes over kinds it does not know.", { examples: kinds }),
    },
    allOf: kinds.map((kind) => ({
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema.
      then: { $ref: `#/definitions/${kind}` },
      if: { required: ["kind"], properties: { kind: { const: kind } } },
    })),
    definitions: { ...documentSchemas, ...definitions },
  };
}
