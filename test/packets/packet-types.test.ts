import t from 'tap'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../../src/packets/packet-types.ts'

t.test('the names of the original', async t => {
  const names = Object.values(PACKET_TYPES)
  t.equal(new Set(names).size, names.length)
  for (const name of [
    // 2020
    ...['initial_data_send', 'agent_action', 'request_act', 'update_status', 'register_agent'],
    ...['register_worker', 'request_status', 'return_status', 'init_data_request', 'alive'],
    ...['provider_details', 'submit_onboarding', 'heartbeat'],
    // today
    ...['submit_unit', 'submit_metadata', 'client_bound_live_update', 'agent_details'],
    ...['mephisto_bound_live_update', 'request_statuses', 'return_statuses', 'log_error'],
  ])
    t.ok((names as string[]).includes(name), name)
  t.strictSame([SUPERVISOR_ID, ROUTER_ID], ['mephisto', 'mephisto_server'])
})
