import t from 'tap'
import * as all from '../../../src/envelope/builtin/common-errors.ts'
import { errors } from '../../../src/envelope/envelope-table.ts'
import type { ErrorMessage } from '../../../src/envelope/error-message.ts'

t.test('on the wire', async t => {
  const mm = { id: 'a' }
  const made: ErrorMessage[] = [
    new all.GenericError({ mm }),
    new all.BadRequestError({ msg: 'no', mm }),
    new all.JobError({ msg: 'broken', mm }),
    new all.ValidationErrorMessage({ errors: [{ loc: ['t'] }], mm }),
    new all.MessageTypeError({ type_name: 'x', envelope: 'ws_incoming', mm }),
    new all.NotFoundError({ model: 'user', value: 5, mm }),
    new all.UnauthorizedError({ model: 'user', key: 'name', value: 'ann', permission: 'see', mm }),
    new all.SubscribeError({ channel_name: 'room_5', mm }),
  ]
  t.strictSame(
    made.map(each => JSON.stringify(errors.pack(each as never))),
    [
      '{"t":"error.generic","p":{"msg":null},"i":"a","s":"f"}',
      '{"t":"error.bad_request","p":{"msg":"no"},"i":"a","s":"f"}',
      '{"t":"error.job","p":{"msg":"broken"},"i":"a","s":"f"}',
      '{"t":"error.validation","p":{"msg":null,"errors":[{"loc":["t"]}]},"i":"a","s":"f"}',
      `{"t":"error.msg_type","p":{"msg":null,"type_name":"x","envelope":"ws_incoming"},` +
        `"i":"a","s":"f"}`,
      '{"t":"error.not_found","p":{"model":"user","key":"pk","value":5},"i":"a","s":"f"}',
      `{"t":"error.unauthorized","p":{"model":"user","key":"name","value":"ann",` +
        `"permission":"see"},"i":"a","s":"f"}`,
      '{"t":"error.subscribe","p":{"channel_name":"room_5"},"i":"a","s":"f"}',
    ],
  )
})
