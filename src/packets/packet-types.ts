/**
 * Layer 9. The types of packets that the original knows, and the ids of its own parties.
 */

/**
 * The types of packets of the original, by their names there. A packet may have any other type,
 * too: `Supervisor` hands each type to the handler of that name.
 */
// Source: Mephisto, `data_model/packet.py` of 2020 and of today.
export const PACKET_TYPES = {
  /** Says who is at this connection. It is the first packet on each. */
  ALIVE: 'alive',
  /** An agent asks to take part, or the router asks on behalf of a person. */
  REGISTER_AGENT: 'register_agent',
  REGISTER_WORKER: 'register_worker',
  /** The answer to a registration of 2020; today `agent_details`. */
  PROVIDER_DETAILS: 'provider_details',
  AGENT_DETAILS: 'agent_details',
  INIT_DATA_REQUEST: 'init_data_request',
  INIT_DATA: 'initial_data_send',
  AGENT_ACTION: 'agent_action',
  REQUEST_ACT: 'request_act',
  UPDATE_STATUS: 'update_status',
  /** The supervisor asks the router how its agents are; today `request_statuses`. */
  REQUEST_STATUS: 'request_status',
  RETURN_STATUS: 'return_status',
  REQUEST_STATUSES: 'request_statuses',
  RETURN_STATUSES: 'return_statuses',
  SUBMIT_ONBOARDING: 'submit_onboarding',
  SUBMIT_UNIT: 'submit_unit',
  SUBMIT_METADATA: 'submit_metadata',
  CLIENT_BOUND_LIVE_UPDATE: 'client_bound_live_update',
  MEPHISTO_BOUND_LIVE_UPDATE: 'mephisto_bound_live_update',
  LOG_ERROR: 'log_error',
  /** An agent asks the router whether it is still there; the router answers. */
  HEARTBEAT: 'heartbeat',
  /**
   * Says up to which number the packets of a stream have arrived. It is sent only to peers that
   * have said that they confirm. The original does not have it.
   */
  CONFIRM: 'confirm',
} as const

/** The id of the supervisor in every packet. */
export const SUPERVISOR_ID = 'mephisto'

/** The id of the router in what it says itself. */
export const ROUTER_ID = 'mephisto_server'
