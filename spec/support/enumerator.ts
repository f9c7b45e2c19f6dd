/** The explorer enumerates too, in the page: the enumerator lies there. */
export * from '../../explorer/proof/enumerator';
