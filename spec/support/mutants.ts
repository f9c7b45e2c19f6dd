/** The explorer shows them too: the known-wrong samplers lie there. */
export * from '../../explorer/proof/wrong-samplers';
