export * from '../../testing/table-model';
