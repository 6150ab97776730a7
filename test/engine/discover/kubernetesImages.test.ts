import assert from "node:assert/strict";
import { test } from "node:test";
import { kubernetesImages } from "../../../engine/discover/kubernetesImages.ts";

const names = (version: string): string[] => kubernetesImages(version).map((mention) => mention.text);

test("the images are those that kubeadm of the version lists", () => {
  assert.deepEqual(names("v1.30.4"), [
    "registry.k8s.io/kube-apiserver:v1.30.4",
    "registry.k8s.io/kube-controller-manager:v1.30.4",
    "registry.k8s.io/kube-scheduler:v1.30.4",
    "registry.k8s.io/kube-proxy:v1.30.4",
    "registry.k8s.io/coredns/coredns:v1.11.1",
    "registry.k8s.io/pause:3.9",
    "registry.k8s.io/etcd:3.5.12-0",
  ]);
});

test("a patch release may bring other versions than its minor's first", () => {
  assert.ok(names("1.30.5").includes("registry.k8s.io/etcd:3.5.15-0"));
  assert.ok(names("v1.31.14").includes("registry.k8s.io/etcd:3.5.24-0"));
});

test("older versions pull from the older registry, and coredns lay at its root before 1.21", () => {
  assert.ok(names("v1.22.15").includes("k8s.gcr.io/coredns/coredns:v1.8.4"));
  assert.ok(names("v1.22.17").includes("registry.k8s.io/pause:3.5"));
  assert.ok(names("v1.20.3").includes("k8s.gcr.io/coredns:1.7.0"));
});

test("a version outside the table has no images, rather than guessed ones", () => {
  for (const version of ["v1.19.0", "v1.38.0", "latest", "v2.1.0"]) assert.deepEqual(names(version), []);
});
