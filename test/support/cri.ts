/** The kubelet's way of pulling: the CRI's ImageService over gRPC on a runtime's socket, with as much of protobuf as its two calls need. */
import { connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";

/** Pulls an image as the kubelet does; answers the id the runtime gives it. Rejects with the runtime's own words. */
export async function criPull(socket: string, image: string): Promise<string> {
  const answer = await call(socket, "PullImage", field(1, field(1, Buffer.from(image))));
  return firstText(answer);
}

/** The raw answer to ImageStatus: it holds names and digests as texts; empty when the runtime does not know the image. */
export async function criImageStatus(socket: string, image: string): Promise<string> {
  return (await call(socket, "ImageStatus", field(1, field(1, Buffer.from(image))))).toString("latin1");
}

/** @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function call(socket: string, method: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect("http://localhost", { createConnection: () => connectSocket(socket) });
    session.once("error", reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: `/runtime.v1.ImageService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let failure: string | undefined;
    const note = (headers: NodeJS.Dict<string | string[]>): void => {
      if (headers["grpc-status"] !== undefined && headers["grpc-status"] !== "0")
        failure = decodeURIComponent(String(headers["grpc-message"]));
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", reject);
    stream.once("close", () => {
      session.close();
      if (failure !== undefined) reject(new Error(`${method}: ${failure}`));
      else resolve(Buffer.concat(chunks).subarray(5));
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}

/** A field of bytes, text or a message. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.from(bytes);
  }
}

function firstText(message: Buffer): string {
  const length = message[1] ?? 0;
  return message.subarray(2, 2 + length).toString("utf8");
}
