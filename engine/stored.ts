import type { StoredType } from '../kernels';
import type { TensorInfo } from '../weights';
import { EngineError } from './errors';

const TYPES: Partial<Record<TensorInfo['type'], StoredType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16', I8: 'i8' };

/**
 * The name that backends have for the type of a tensor's values in a file.
 *
 * @throws EngineError `type-unsupported` for a type that no backend reads
 */
export function storedType(info: TensorInfo): StoredType {
  const type = TYPES[info.type];
  if (type) return type;
  throw new EngineError('type-unsupported', `${info.name}: expected type F32, F16, BF16 or I8, found ${info.type}`);
}
