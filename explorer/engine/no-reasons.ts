/**
 * Stands for the reasons why options of other libraries are not followed, which the site leaves out (`withoutParts` of
 * build/plugins.mjs): nobody states options to a page by name.
 */
const none: Readonly<Record<string, string>> = {};

export { none as NOT_FOLLOWED };
