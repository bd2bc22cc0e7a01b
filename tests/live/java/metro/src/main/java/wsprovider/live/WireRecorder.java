package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.xml.ws.api.message.Packet;
import com.sun.xml.ws.api.pipe.ClientTubeAssemblerContext;
import com.sun.xml.ws.api.pipe.Codec;
import com.sun.xml.ws.api.pipe.ContentType;
import com.sun.xml.ws.api.pipe.TransportTubeFactory;
import com.sun.xml.ws.api.pipe.Tube;
import com.sun.xml.ws.transport.http.client.HttpTransportPipe;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Keeps the bytes of every message a client sends and receives, with their content types. It is the factory of the
 * client's transport, which is Metro's own with a codec around Metro's.
 */
final class WireRecorder extends TransportTubeFactory {
    private final List<Exchange> exchanges = new ArrayList<>();

    private static final class Exchange {
        private byte[] request = {};
        private String requestType;
        private byte[] response = {};
        private String responseType;
    }

    @Override
    public Tube doCreate(ClientTubeAssemblerContext context) {
        return new HttpTransportPipe(new Recording(context.getCodec()), context.getBinding());
    }

    synchronized JsonArray toJson() {
        JsonArray told = new JsonArray();
        for (Exchange exchange : exchanges) {
            JsonObject one = new JsonObject();
            one.addProperty("request", Base64.getEncoder().encodeToString(exchange.request));
            one.addProperty("requestType", exchange.requestType);
            one.addProperty("response", Base64.getEncoder().encodeToString(exchange.response));
            one.addProperty("responseType", exchange.responseType);
            told.add(one);
        }
        return told;
    }

    synchronized void clear() {
        exchanges.clear();
    }

    private synchronized Exchange begin() {
        Exchange exchange = new Exchange();
        exchanges.add(exchange);
        return exchange;
    }

    /** One codec belongs to one transport tube, which has one exchange under way at a time. */
    private final class Recording implements Codec {
        private final Codec codec;
        private Exchange exchange;

        Recording(Codec codec) {
            this.codec = codec;
        }

        @Override
        public String getMimeType() {
            return codec.getMimeType();
        }

        @Override
        public ContentType getStaticContentType(Packet packet) {
            return codec.getStaticContentType(packet);
        }

        @Override
        public ContentType encode(Packet packet, OutputStream out) throws IOException {
            ByteArrayOutputStream copy = new ByteArrayOutputStream();
            exchange = begin();
            ContentType type = codec.encode(packet, copy);
            exchange.request = copy.toByteArray();
            exchange.requestType = type.getContentType();
            copy.writeTo(out);
            return type;
        }

        @Override
        public ContentType encode(Packet packet, WritableByteChannel buffer) {
            throw new UnsupportedOperationException("Metro writes HTTP to streams");
        }

        @Override
        public Codec copy() {
            return new Recording(codec.copy());
        }

        @Override
        public void decode(InputStream in, String contentType, Packet response) throws IOException {
            exchange.responseType = contentType;
            exchange.response = in.readAllBytes();
            codec.decode(new ByteArrayInputStream(exchange.response), contentType, response);
        }

        @Override
        public void decode(ReadableByteChannel in, String contentType, Packet response) {
            throw new UnsupportedOperationException("Metro reads HTTP from streams");
        }
    }
}
