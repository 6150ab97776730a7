/** A private CA and certificates from it, made by openssl. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface PrivateCa {
  /** Path of the CA's certificate. */
  readonly certificate: string;
  /** Makes a certificate for 127.0.0.1 and localhost, for servers and clients; returns paths. */
  issue(name: string): Promise<Certificate>;
}

/** Makes a CA whose files lie in a folder. */
export async function makeCa(dir: string): Promise<PrivateCa> {
  const ca = { certificate: path.join(dir, "ca.crt"), key: path.join(dir, "ca.key") };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", [
    "req",
    "-x509",
    ...key,
    "-days",
    "2",
    "-subj",
    "/CN=test ca",
    "-keyout",
    ca.key,
    "-out",
    ca.certificate,
  ]);
  return {
    certificate: ca.certificate,
    async issue(name) {
      const files = { certificate: path.join(dir, `${name}.crt`), key: path.join(dir, `${name}.key`) };
      const request = path.join(dir, `${name}.csr`);
      const extensions = path.join(dir, `${name}.ext`);
      await run("openssl", ["req", "-new", ...key, "-subj", `/CN=${name}`, "-keyout", files.key, "-out", request]);
      await writeFile(extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
      const signing = [
        "-CA",
        ca.certificate,
        "-CAkey",
        ca.key,
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        extensions,
      ];
      await run("openssl", ["x509", "-req", "-in", request, ...signing, "-out", files.certificate]);
      return files;
    },
  };
}
