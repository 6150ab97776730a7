/** bcrypt as charts call it: every round is counted. */
import { bcryptSteps } from "../../bcrypt.ts";
import type { Meter } from "../template/meter.ts";

const cost = 10;

/** A bcrypt hash of cost 10: `$2a$10$…`. At most 72 bytes of password count. @param salt 16 bytes */
export function bcryptHash(password: Uint8Array, salt: Uint8Array, meter: Meter): string {
  const steps = bcryptSteps(password, salt, cost);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    meter.spend(512);
  }
}
