/**
 * Which texts of the sources are wording: what people read and no program looks at, such as the message of an error. A mutant that
 * empties such a text is left out, because a law should not pin wording. A text that is a code, a key, the name of a flag or of a file,
 * or a format is no wording. Neither is a number or a name that a message quotes: it says what was found.
 */

/** Properties and variables whose value is wording. */
const WORDS =
  /^(about|advice|chooses|complaint|description|expected|followed|found|help|hint|irrelevant|message|EXAMPLES|HELP|USAGE)$/;

/** Those whose value is wording if it has a space in it; a single word may be a code. */
const WORDS_OR_CODES = /^(note|problem|reason|refused|summary|what)$/;

/** What creates an error. */
const ERROR = /(Error|Failure)$/;

/** Functions that create an error, or throw one, from what was expected and what was found. */
const REFUSES =
  /^(bad|broken|complain|expect|failed|failure|invalid|lost|missing|noInput|notFollowed|notSendable|refus|requireThat|strange|tooLong|unavailable|unreadable|unsupported|unwritable|wrong)|^error$|Error$/;

/** Functions that show people something, or name a box in the error when it does not fit: the first argument that is wording. */
const SHOWS = new Map([
  ['addHelpText', 1],
  ['allocate', 1],
  ['argument', 1],
  ['bytesProgress', 0],
  ['charge', 2],
  ['countProgress', 0],
  ['description', 0],
  ['followed', 0],
  ['irrelevant', 0],
  ['note', 0],
  ['notice', 0],
  ['option', 1],
  ['reserve', 2],
  ['store', 2],
  ['summary', 0],
  ['warn', 0],
]);

/** `name` of `name`, `#name`, `object.name` and `object.#name`. */
function nameOf(node) {
  if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') return nameOf(node.property);
  if (node.type === 'PrivateName') return nameOf(node.id);
  return node.type === 'Identifier' ? node.name : node.type === 'StringLiteral' ? node.value : '';
}

const textOf = (node) =>
  node.type === 'StringLiteral' ? node.value : node.quasis.map(({ value }) => value.cooked ?? value.raw).join('…');

/** The expression whose value a text is, or is a part of: through templates, sums, and branches of a choice. */
function wholeOf(path) {
  let whole = path;
  for (;;) {
    const { node, parentPath } = whole;
    const { type } = parentPath.node;
    const isPart =
      type === 'TemplateLiteral' ||
      type === 'ParenthesizedExpression' ||
      type === 'TSAsExpression' ||
      (type === 'ConditionalExpression' && parentPath.node.test !== node) ||
      type === 'LogicalExpression' ||
      (type === 'BinaryExpression' && parentPath.node.operator === '+');
    if (!isPart) return whole;
    whole = parentPath;
  }
}

/** Whether an argument of a call is wording. A single word in a refusal may be a code, or the name of a field. */
function isWordingArgument(call, index, text) {
  const name = nameOf(call.callee);
  const hasSpace = /\s/.test(text);
  if (call.type === 'NewExpression') return ERROR.test(name) && hasSpace;
  if (name === 'write') return call.callee.object && nameOf(call.callee.object) === 'stderr' && hasSpace;
  if (SHOWS.has(name)) return index >= SHOWS.get(name);
  if (!REFUSES.test(name)) return false;
  return hasSpace || (index > 0 && !name.startsWith('expect'));
}

function isWordingValue(name, value) {
  return WORDS.test(nameOf(name)) || (WORDS_OR_CODES.test(nameOf(name)) && /\s/.test(wholeText(value)));
}

/** @param path babel's path of a node */
export function isWording(path) {
  const { node } = path;
  if (node.type !== 'StringLiteral' && node.type !== 'TemplateLiteral') return false;
  if (!path.parentPath || path.parentPath.node.type === 'TaggedTemplateExpression') return false;
  // `${row} + ${rows}` has no words: it is what was found.
  if (node.type === 'TemplateLiteral' && !/\p{L}/u.test(textOf(node))) return false;
  const whole = wholeOf(path);
  const parent = whole.parentPath.node;
  switch (parent.type) {
    case 'ObjectProperty':
    case 'ClassProperty':
      return parent.value === whole.node && !parent.computed && isWordingValue(parent.key, whole.node);
    case 'VariableDeclarator':
      return isWordingValue(parent.id, whole.node);
    case 'AssignmentExpression':
      return parent.right === whole.node && isWordingValue(parent.left, whole.node);
    case 'CallExpression':
    case 'OptionalCallExpression':
    case 'NewExpression':
      // A part of a text is judged by the whole: `${name}: expected ` + 'none' is one message.
      return isWordingArgument(parent, parent.arguments.indexOf(whole.node), wholeText(whole.node));
    default:
      return false;
  }
}

/** All text of an expression that `wholeOf` gives; an expression without text in it counts as a word. */
function wholeText(node) {
  switch (node.type) {
    case 'StringLiteral':
    case 'TemplateLiteral':
      return textOf(node);
    case 'ConditionalExpression':
      return `${wholeText(node.consequent)}${wholeText(node.alternate)}`;
    case 'LogicalExpression':
    case 'BinaryExpression':
      return `${wholeText(node.left)}${wholeText(node.right)}`;
    case 'TSAsExpression':
    case 'ParenthesizedExpression':
      return wholeText(node.expression);
    default:
      return '…';
  }
}
