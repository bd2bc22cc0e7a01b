package wsprovider.live;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.apache.axis2.AxisFault;
import org.apache.axis2.Constants;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.context.MessageContext;
import org.apache.axis2.engine.AxisEngine;
import org.apache.axis2.transport.OutTransportInfo;
import org.apache.axis2.transport.http.HTTPConstants;
import org.apache.axis2.transport.http.HTTPTransportUtils;
import org.apache.axis2.util.MessageContextBuilder;

/** Carries HTTP exchanges of the JDK's server into an Axis2 configuration and its replies back. */
final class Axis2Endpoint implements HttpHandler {
    private final ConfigurationContext context;
    private final String scheme;

    Axis2Endpoint(ConfigurationContext context, String scheme) {
        this.context = context;
        this.scheme = scheme;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        ReplyType type = new ReplyType();
        boolean answered = process(exchange, body, type);
        exchange.getResponseHeaders().set("Content-Type", type.value);
        exchange.sendResponseHeaders(answered ? 200 : 500, body.size() == 0 ? -1 : body.size());
        exchange.getResponseBody().write(body.toByteArray());
        exchange.close();
    }

    /** Runs the request through Axis2; false means that the body is a fault. */
    private boolean process(HttpExchange exchange, ByteArrayOutputStream body, ReplyType type) throws AxisFault {
        MessageContext message = newMessage(exchange, body, type);
        try {
            HTTPTransportUtils.processHTTPPostRequest(message, exchange.getRequestBody(), body,
                    header(exchange, HTTPConstants.CONTENT_TYPE), header(exchange, HTTPConstants.HEADER_SOAP_ACTION), exchange.getRequestURI().toString());
            return true;
        } catch (AxisFault failure) {
            System.err.println("rampart-server: " + Failures.describe(failure));
            AxisEngine.sendFault(MessageContextBuilder.createFaultMessageContext(message, failure));
            return false;
        }
    }

    private MessageContext newMessage(HttpExchange exchange, ByteArrayOutputStream body, ReplyType type) throws AxisFault {
        MessageContext message = context.createMessageContext();
        message.setIncomingTransportName(scheme);
        message.setTransportIn(context.getAxisConfiguration().getTransportIn(Constants.TRANSPORT_HTTP));
        message.setTransportOut(context.getAxisConfiguration().getTransportOut(Constants.TRANSPORT_HTTP));
        message.setServerSide(true);
        message.setProperty(MessageContext.TRANSPORT_OUT, body);
        message.setProperty(Constants.OUT_TRANSPORT_INFO, type);
        message.setProperty(MessageContext.REMOTE_ADDR, exchange.getRemoteAddress().getAddress().getHostAddress());
        return message;
    }

    private static String header(HttpExchange exchange, String name) {
        return exchange.getRequestHeaders().getFirst(name);
    }

    /** Receives the content type of the reply from Axis2's sender. */
    private static final class ReplyType implements OutTransportInfo {
        private String value = "text/xml; charset=UTF-8";

        @Override
        public void setContentType(String contentType) {
            value = contentType;
        }
    }
}
