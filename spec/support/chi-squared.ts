export * from '../../testing/chi-squared';
