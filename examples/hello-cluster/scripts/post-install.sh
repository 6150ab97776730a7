#!/bin/sh
# Waits until the application answers.
set -eu
kubectl rollout status deployment/hello --timeout=120s
