import { commands, Location, Position, Range, Uri } from "vscode";
import type { Command } from "./command.ts";

interface PlainPosition {
  readonly line: number;
  readonly character: number;
}

interface PlainLocation {
  readonly uri: string;
  readonly range: { readonly start: PlainPosition; readonly end: PlainPosition };
}

/** Peeks at the places a code lens of the language server counted; only code lenses call it. */
export const showReferences: Command = {
  id: "kubefile.showReferences",
  needsTrust: false,
  async run(_session, ...args) {
    const [uri, at, places] = args as [string, PlainPosition, readonly PlainLocation[]];
    const locations = places.map((place) => new Location(Uri.parse(place.uri, true), rangeOf(place.range)));
    await commands.executeCommand("editor.action.showReferences", Uri.parse(uri, true), positionOf(at), locations);
  },
};

function rangeOf({ start, end }: PlainLocation["range"]): Range {
  return new Range(positionOf(start), positionOf(end));
}

function positionOf({ line, character }: PlainPosition): Position {
  return new Position(line, character);
}
