import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyFor } from "../../../engine/remote/proxy.ts";

const environment = {
  HTTPS_PROXY: "http://secure.example:3128",
  http_proxy: "plain.example:8080",
  NO_PROXY: "corp.example,.dotted.example, 10.0.0.0/8 fd00::/8 other.example:8443,192.168.1.5",
};
const through = (url: string, variables: Record<string, string> = environment) =>
  proxyFor(new URL(url), variables)?.href;

test("the scheme chooses the proxy", () => {
  assert.equal(through("https://ghcr.io/v2/"), "http://secure.example:3128/");
  assert.equal(through("http://ghcr.io/v2/"), "http://plain.example:8080/");
  assert.equal(through("https://ghcr.io/v2/", { ALL_PROXY: "https://all.example" }), "https://all.example/");
  assert.equal(through("https://ghcr.io/v2/", {}), undefined);
});

test("the lower-case name wins, as in curl", () => {
  assert.equal(through("https://a.b", { HTTPS_PROXY: "http://upper", https_proxy: "http://lower" }), "http://lower/");
});

test("loopback never goes through a proxy", () => {
  for (const host of ["localhost:5000", "127.0.0.1:5000", "[::1]:5000", "registry.localhost"]) {
    assert.equal(through(`https://${host}/v2/`), undefined, host);
  }
});

test("NO_PROXY names hosts with all below them, ports, addresses and ranges", () => {
  for (const host of [
    "corp.example",
    "registry.corp.example:5000",
    "a.dotted.example",
    "10.1.2.3",
    "[fd00::1]:5000",
    "other.example:8443",
    "192.168.1.5:5000",
  ]) {
    assert.equal(through(`https://${host}/`), undefined, host);
  }
  for (const host of ["notcorp.example", "dotted.example", "11.1.2.3", "[fe00::1]", "other.example", "192.168.1.50"]) {
    assert.notEqual(through(`https://${host}/`), undefined, host);
  }
  assert.equal(through("https://anything.example", { HTTPS_PROXY: "http://p", NO_PROXY: "*" }), undefined);
});

test("a value that is no proxy is refused without being quoted", () => {
  assert.throws(
    () => through("https://a.b", { HTTPS_PROXY: "socks5://user:hunter2@host:1" }),
    (error: Error) => {
      assert.match(error.message, /HTTPS_PROXY/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
});
