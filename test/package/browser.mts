// The installed package in a program for a browser, by its types alone, and without those of Node.
import { Channel, ChannelMessageError, ChannelState, type RoomCloseEvent } from 'sluice/rooms'

const channel = new Channel('/rooms', { auto_reconnect: true, max_reconnect_attempts: null })
channel.on_close(({ code }: RoomCloseEvent) => console.log(code))
channel.on_error(error => error instanceof ChannelMessageError && console.log(error.unsent))
export const isOpen: boolean = channel.state === ChannelState.OPEN
