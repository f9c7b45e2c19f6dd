/** The explorer proves with table models too: they lie there. */
export * from '../../explorer/proof/table-model';
