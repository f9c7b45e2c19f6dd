/** What the explorer shows, and where. */
export interface ExploreOptions {
  /** Folder of the explorer's page, as the package's build writes it. */
  readonly page: string;
  /** The package's folder of models, which has the bundled pair. */
  readonly models: string;
  /** Directory of a checkpoint to show in place of the bundled pair. */
  readonly target?: string;
  /** Directory of a draft for it. */
  readonly draft?: string;
  /** Port; 0 takes one that is free. Default 0. */
  readonly port?: number;
}

/** The explorer as it is served. */
export interface Explorer {
  /** Such as `http://127.0.0.1:8081/`. */
  readonly address: string;
  /** Takes no more requests; those that run have a second to end. */
  stop(): Promise<void>;
}
