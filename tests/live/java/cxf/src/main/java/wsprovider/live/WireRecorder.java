package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.cxf.Bus;
import org.apache.cxf.interceptor.Fault;
import org.apache.cxf.message.Message;
import org.apache.cxf.phase.AbstractPhaseInterceptor;
import org.apache.cxf.phase.Phase;

/** Keeps the bytes of every message a bus sends and receives, with their content types. */
final class WireRecorder {
    private final List<Exchange> exchanges = new ArrayList<>();

    private static final class Exchange {
        private byte[] request = {};
        private String requestType;
        private byte[] response = {};
        private String responseType;
        private Integer status;
    }

    void attach(Bus bus) {
        bus.getOutInterceptors().add(new Outgoing());
        bus.getInInterceptors().add(new Incoming());
        bus.getInFaultInterceptors().add(new Incoming());
    }

    /** Writes N-request.xml, N-request.type, N-response.xml and N-response.type, N counting from 1. */
    synchronized void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        int number = 0;
        for (Exchange exchange : exchanges) {
            number++;
            Files.write(folder.resolve(number + "-request.xml"), exchange.request);
            Files.writeString(folder.resolve(number + "-request.type"), String.valueOf(exchange.requestType));
            Files.write(folder.resolve(number + "-response.xml"), exchange.response);
            Files.writeString(folder.resolve(number + "-response.type"), String.valueOf(exchange.responseType));
        }
    }

    synchronized JsonArray toJson() {
        JsonArray told = new JsonArray();
        for (Exchange exchange : exchanges) {
            JsonObject one = new JsonObject();
            one.addProperty("request", Base64.getEncoder().encodeToString(exchange.request));
            one.addProperty("requestType", exchange.requestType);
            one.addProperty("response", Base64.getEncoder().encodeToString(exchange.response));
            one.addProperty("responseType", exchange.responseType);
            one.addProperty("status", exchange.status);
            told.add(one);
        }
        return told;
    }

    synchronized void clear() {
        exchanges.clear();
    }

    private synchronized Exchange of(Message message) {
        Exchange known = (Exchange) message.getExchange().get(Exchange.class.getName());
        if (known == null) {
            known = new Exchange();
            message.getExchange().put(Exchange.class.getName(), known);
            exchanges.add(known);
        }
        return known;
    }

    private final class Outgoing extends AbstractPhaseInterceptor<Message> {
        Outgoing() {
            super(Phase.PRE_STREAM);
        }

        @Override
        public void handleMessage(Message message) {
            OutputStream wire = message.getContent(OutputStream.class);
            if (wire == null) {
                return;
            }
            Exchange exchange = of(message);
            exchange.requestType = (String) message.get(Message.CONTENT_TYPE);
            message.setContent(OutputStream.class, new Copying(wire, exchange));
        }
    }

    private final class Incoming extends AbstractPhaseInterceptor<Message> {
        Incoming() {
            super(Phase.RECEIVE);
        }

        @Override
        public void handleMessage(Message message) {
            InputStream wire = message.getContent(InputStream.class);
            if (wire == null) {
                return;
            }
            try (wire) {
                Exchange exchange = of(message);
                exchange.responseType = (String) message.get(Message.CONTENT_TYPE);
                exchange.status = (Integer) message.get(Message.RESPONSE_CODE);
                exchange.response = wire.readAllBytes();
                message.setContent(InputStream.class, new ByteArrayInputStream(exchange.response));
            } catch (IOException problem) {
                throw new Fault(problem);
            }
        }
    }

    private static final class Copying extends FilterOutputStream {
        private final ByteArrayOutputStream copy = new ByteArrayOutputStream();
        private final Exchange exchange;

        Copying(OutputStream wire, Exchange exchange) {
            super(wire);
            this.exchange = exchange;
        }

        @Override
        public void write(int octet) throws IOException {
            copy.write(octet);
            out.write(octet);
        }

        @Override
        public void write(byte[] octets, int start, int length) throws IOException {
            copy.write(octets, start, length);
            out.write(octets, start, length);
        }

        @Override
        public void close() throws IOException {
            exchange.request = copy.toByteArray();
            super.close();
        }
    }
}
