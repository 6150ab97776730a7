/** Keys, certificates and passwords differ from helm's, but they must be good ones. */
import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { readChart } from "../../../engine/chart/chart.ts";
import { bcryptHash } from "../../../engine/chart/functions/bcrypt.ts";
import { renderChart } from "../../../engine/chart/render.ts";
import { Meter } from "../../../engine/chart/template/meter.ts";
import { renderOptions } from "../../support/charts.ts";

async function evaluate(template: string): Promise<Record<string, string>> {
  const files = { "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "templates/NOTES.txt": template };
  const chart = readChart(new Map(Object.entries(files).map(([name, body]) => [name, Buffer.from(body)])));
  return JSON.parse((await renderChart(chart, renderOptions())).notes) as Record<string, string>;
}

const now = Date.UTC(2024, 1, 29, 12, 30, 45);

test("a signed certificate is verified by its authority, for the names and days asked for", async () => {
  const found = await evaluate(
    '{{ $ca := genCA "my-ca" 365 }}{{ $c := genSignedCert "web" (list "10.0.0.1" "::1" "fe80::1:2") (list "a.example" "*.b.example") 30 $ca }}{{ dict "ca" $ca.Cert "caKey" $ca.Key "cert" $c.Cert "key" $c.Key | toJson }}',
  );
  const authority = new X509Certificate(found["ca"] ?? "");
  const certificate = new X509Certificate(found["cert"] ?? "");
  assert.ok(authority.ca);
  assert.ok(!certificate.ca);
  assert.ok(certificate.checkIssued(authority));
  assert.ok(certificate.verify(authority.publicKey));
  assert.ok(authority.verify(authority.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(found["key"] ?? "")));
  assert.ok(authority.checkPrivateKey(createPrivateKey(found["caKey"] ?? "")));
  assert.equal(certificate.subject, "CN=web");
  assert.equal(certificate.issuer, "CN=my-ca");
  assert.equal(certificate.checkHost("x.b.example"), "*.b.example");
  assert.equal(certificate.checkHost("c.example"), undefined);
  assert.equal(certificate.checkIP("10.0.0.1"), "10.0.0.1");
  assert.match(certificate.subjectAltName ?? "", /FE80:0:0:0:0:0:1:2/);
  assert.equal(Date.parse(certificate.validFrom), now - 0);
  assert.equal(Date.parse(certificate.validTo), now + 30 * 86_400_000);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
});

for (const [type, pemType, keyType] of [
  ["", "RSA PRIVATE KEY", "rsa"],
  ["ecdsa", "EC PRIVATE KEY", "ec"],
  ["ed25519", "PRIVATE KEY", "ed25519"],
] as const) {
  test(`genPrivateKey ${JSON.stringify(type)} gives a key that can sign a certificate`, async () => {
    const found = await evaluate(
      `{{ $k := genPrivateKey "${type}" }}{{ $c := genSelfSignedCertWithKey "x" nil (list "x.y") 1 $k }}{{ dict "key" $k "cert" $c.Cert | toJson }}`,
    );
    assert.ok(found["key"]?.startsWith(`-----BEGIN ${pemType}-----\n`));
    const key = createPrivateKey(found["key"] ?? "");
    assert.equal(key.asymmetricKeyType, keyType);
    const certificate = new X509Certificate(found["cert"] ?? "");
    assert.ok(certificate.checkPrivateKey(key));
    assert.ok(certificate.verify(certificate.publicKey));
  });
}

test("an RSA key of genPrivateKey has 4096 bits, one of genCA 2048", async () => {
  const found = await evaluate('{{ dict "big" (genPrivateKey "rsa") "small" (genCA "x" 1).Key | toJson }}');
  const length = (text: string | undefined): number | undefined =>
    createPrivateKey(text ?? "").asymmetricKeyDetails?.modulusLength;
  assert.deepEqual([length(found["big"]), length(found["small"])], [4096, 2048]);
});

const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The 16 bytes of a bcrypt salt from its 22 characters. */
function saltOf(text: string): Uint8Array {
  let bits = "";
  for (const char of text) bits += alphabet.indexOf(char).toString(2).padStart(6, "0");
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2));
}

// Vectors of OpenBSD's implementation, as jBCrypt publishes them.
for (const [password, hash] of [
  ["", "$2a$10$k1wbIrmNyFAPwPVPSVa/zecw2BCEnBwVS2GbrmgzxFUOqW9dk4TCW"],
  ["a", "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u"],
  ["abc", "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"],
] as const) {
  test(`bcrypt of ${JSON.stringify(password)} is what OpenBSD computes`, () => {
    const meter = new Meter({ timeMs: 60_000, outputLength: 1000 }, new AbortController().signal, () => 0);
    assert.equal(bcryptHash(Buffer.from(password), saltOf(hash.slice(7, 29)), meter), hash);
  });
}
