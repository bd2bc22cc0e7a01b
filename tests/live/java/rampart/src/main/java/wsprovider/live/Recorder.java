package wsprovider.live;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.OMOutputFormat;
import org.apache.axis2.AxisFault;
import org.apache.axis2.Constants;
import org.apache.axis2.builder.Builder;
import org.apache.axis2.builder.SOAPBuilder;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.context.MessageContext;
import org.apache.axis2.transport.MessageFormatter;
import org.apache.axis2.transport.http.SOAPMessageFormatter;

/** Writes the very bytes of each HTTP body to {@code <number>.request.xml} and {@code <number>.response.xml}, by standing around Axis2's formatter and parser. */
final class Recorder {
    private static final String[] SOAP_TYPES = {"text/xml", "application/soap+xml"};

    private final Path folder;
    private int exchanges;

    private Recorder(String folder) throws IOException {
        this.folder = Files.createDirectories(Path.of(folder));
    }

    static void install(ConfigurationContext context, String folder) throws IOException {
        Recorder recorder = new Recorder(folder);
        for (String type : SOAP_TYPES) {
            context.getAxisConfiguration().addMessageBuilder(type, recorder.new RecordingBuilder());
        }
        // Axis2 looks for a formatter other than its own only when a message type is named; the formatter itself goes by the SOAP version.
        context.getAxisConfiguration().addMessageFormatter(SOAP_TYPES[0], recorder.new RecordingFormatter());
        context.setProperty(Constants.Configuration.MESSAGE_TYPE, SOAP_TYPES[0]);
    }

    private synchronized byte[] request(byte[] body) throws AxisFault {
        exchanges++;
        return write("request", body);
    }

    private synchronized byte[] response(byte[] body) throws AxisFault {
        return write("response", body);
    }

    private byte[] write(String side, byte[] body) throws AxisFault {
        try {
            Files.write(folder.resolve(exchanges + "." + side + ".xml"), body);
        } catch (IOException failure) {
            throw AxisFault.makeFault(failure);
        }
        return body;
    }

    private final class RecordingFormatter implements MessageFormatter {
        private final MessageFormatter soap = new SOAPMessageFormatter();

        @Override
        public byte[] getBytes(MessageContext message, OMOutputFormat format) throws AxisFault {
            return request(soap.getBytes(message, format));
        }

        @Override
        public void writeTo(MessageContext message, OMOutputFormat format, OutputStream out, boolean preserve) throws AxisFault {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            soap.writeTo(message, format, body, preserve);
            try {
                out.write(request(body.toByteArray()));
            } catch (IOException failure) {
                throw AxisFault.makeFault(failure);
            }
        }

        @Override
        public String getContentType(MessageContext message, OMOutputFormat format, String action) {
            return soap.getContentType(message, format, action);
        }

        @Override
        public URL getTargetAddress(MessageContext message, OMOutputFormat format, URL target) throws AxisFault {
            return soap.getTargetAddress(message, format, target);
        }

        @Override
        public String formatSOAPAction(MessageContext message, OMOutputFormat format, String action) {
            return soap.formatSOAPAction(message, format, action);
        }
    }

    private final class RecordingBuilder implements Builder {
        private final Builder soap = new SOAPBuilder();

        @Override
        public OMElement processDocument(InputStream in, String contentType, MessageContext message) throws AxisFault {
            try {
                return soap.processDocument(new ByteArrayInputStream(response(in.readAllBytes())), contentType, message);
            } catch (IOException failure) {
                throw AxisFault.makeFault(failure);
            }
        }
    }
}
