import {
  type Event,
  EventEmitter,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  window,
} from "vscode";
import type { BuildRecord, ImagePath, KubefilePlace } from "../../engine/protocol.ts";
import { tell } from "../failures.ts";
import type { NamedImage, Session } from "../session.ts";
import { engineMayWork } from "../trust.ts";

/** What commands may do with a row. */
export interface Subject {
  readonly image?: NamedImage;
  readonly digest?: string;
  readonly place?: KubefilePlace;
  readonly build?: BuildRecord;
  /** A file of an image that can be opened. */
  readonly file?: ImagePath;
  /** Name of a container image inside a cluster image. */
  readonly containerImage?: string;
}

/** A row: how it looks, what it stands for, and its children when it has some. */
export interface Row {
  readonly item: TreeItem;
  readonly subject?: Subject;
  readonly children?: () => readonly Row[] | Promise<readonly Row[]>;
}

/** A row from its parts; `id` keeps it open over a refresh. */
export function row(parts: {
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly tooltip?: TreeItem["tooltip"];
  readonly icon?: TreeItem["iconPath"];
  readonly kind?: string;
  readonly open?: boolean;
  readonly subject?: Subject;
  readonly command?: TreeItem["command"];
  readonly spoken?: string;
  readonly children?: Row["children"];
}): Row {
  const collapsed = parts.open ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
  const item = new TreeItem(parts.label, parts.children ? collapsed : TreeItemCollapsibleState.None);
  item.id = parts.id;
  if (parts.description !== undefined) item.description = parts.description;
  if (parts.tooltip !== undefined) item.tooltip = parts.tooltip;
  if (parts.icon !== undefined) item.iconPath = parts.icon;
  if (parts.kind !== undefined) item.contextValue = parts.kind;
  if (parts.command !== undefined) item.command = parts.command;
  if (parts.spoken !== undefined) item.accessibilityInformation = { label: parts.spoken };
  return {
    item,
    ...(parts.subject ? { subject: parts.subject } : {}),
    ...(parts.children ? { children: parts.children } : {}),
  };
}

/** A tree whose rows are asked for when it is seen, and again after `refresh`. */
export class Tree implements TreeDataProvider<Row> {
  readonly #session: Session;
  readonly #roots: () => Promise<readonly Row[]>;
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData: Event<undefined> = this.#changed.event;

  constructor(session: Session, roots: () => Promise<readonly Row[]>) {
    this.#session = session;
    this.#roots = roots;
    session.context.subscriptions.push(this.#changed);
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  getTreeItem(element: Row): TreeItem {
    return element.item;
  }

  async getChildren(element?: Row): Promise<Row[]> {
    if (!engineMayWork()) return [];
    try {
      return [...(await (element ? (element.children?.() ?? []) : this.#roots()))];
    } catch (error) {
      // An engine that is not there is told by the welcome content and the status, not by each tree.
      if (this.#session.engine.state.kind === "ready") tell(this.#session, error, () => this.refresh());
      return [];
    }
  }

  /** Shows the tree as the view with that id. */
  open(viewId: string): TreeView<Row> {
    const view = window.createTreeView(viewId, {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
    });
    this.#session.context.subscriptions.push(view);
    return view;
  }
}
