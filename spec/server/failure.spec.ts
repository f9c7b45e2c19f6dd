import { type ErrorCode, INPUT_ERRORS, TandemError } from '../../common';
import { badField, failureOf, RequestError, stopping } from '../../server/failure';

/** The answer to an error: status, body and headers. */
async function answer(error: unknown) {
  const { response } = failureOf(error);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'content-type'));
  return { status: response.status, ...(await response.json()), headers };
}

describe('an error as an answer', () => {
  test.each([...INPUT_ERRORS, 'tensor-missing' as const])(
    '%s is the request’s: 400 with its message, without control characters',
    async (code) => {
      expect(await answer(new TandemError(code, 'top_k: found \u001b[2J'))).toEqual({
        status: 400,
        error: {
          message: expect.stringMatching(/^top_k: found \P{Cc}+$/u),
          ...{ type: 'invalid_request_error', param: null, code },
        },
        headers: {},
      });
    },
  );

  test.each<ErrorCode>(['io-failed', 'not-found', 'header-invalid', 'hub-failed', 'device-lost'])(
    '%s is the server’s: 500 with its code, and nothing of its message',
    async (code) => {
      expect(await answer(new TandemError(code, '/secret/path'))).toEqual({
        status: 500,
        error: { message: expect.not.stringContaining('secret'), type: 'server_error', param: null, code },
        headers: {},
      });
    },
  );

  test.each([new Error('/secret'), new TypeError('/secret'), '/secret', undefined, null])(
    '%p says nothing but that the server failed',
    async (error) => {
      expect(await answer(error)).toEqual({
        status: 500,
        error: {
          message: expect.not.stringContaining('secret'),
          ...{ type: 'server_error', param: null, code: 'internal_error' },
        },
        headers: {},
      });
      expect(failureOf(error).cause).toBe(error); // for who runs the server
    },
  );

  test.each(['aborted', 'disposed'] as const)('%s: the server stops, and says when to come again', async (code) => {
    const expected = {
      status: 503,
      error: { message: expect.any(String), type: 'server_error', param: null, code: 'stopping' },
      headers: { 'retry-after': '5', connection: 'close' },
    };
    expect(await answer(new TandemError(code, 'x'))).toEqual(expected);
    expect(await answer(stopping())).toEqual(expected);
  });

  test('a refusal stays as it is; a field’s names the field', async () => {
    const refusal = new RequestError(404, 'none', { code: 'c', param: 'p', headers: { Allow: 'GET' } });
    expect(failureOf(refusal)).toBe(refusal);
    expect(await answer(refusal)).toEqual({
      status: 404,
      error: { message: 'none', type: 'invalid_request_error', param: 'p', code: 'c' },
      headers: { allow: 'GET' },
    });
    expect(await answer(new RequestError(400, 'none'))).toMatchObject({ error: { param: null, code: null } });
    const expected = { message: 'n: expected 1', param: 'n', type: 'invalid_request_error' };
    expect(await answer(badField('n', 'expected 1'))).toMatchObject({
      status: 400,
      error: { ...expected, code: 'invalid_value' },
    });
    expect(await answer(badField('n', 'expected 1', 'missing'))).toMatchObject({
      status: 400,
      error: { ...expected, code: 'missing' },
    });
  });
});
