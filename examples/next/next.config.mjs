// Tandem stays a package of its own beside the bundle, so that it finds the bundled pair's files.
export default { serverExternalPackages: ['tandem-t5'] };
