import { defaultTransport, RegistryClient, type RegistryClientOptions } from "../../engine/remote/client.ts";
import { anonymous, type CredentialSource } from "../../engine/remote/credentials.ts";

/** A client as tests want it: no environment, no certificates but those given, and hardly any waiting between tries. */
export function testClient(
  options: Partial<RegistryClientOptions> & { readonly credentials?: CredentialSource } = {},
): RegistryClient {
  return new RegistryClient({
    ...defaultTransport,
    credentials: anonymous,
    environment: {},
    certificateDirs: [],
    insecureRegistries: [],
    now: Date.now,
    userAgent: "kubefile/test",
    retryDelaysMs: [1, 5, 20, 50],
    ...options,
  });
}
