export * from '../../testing/enumerator';
