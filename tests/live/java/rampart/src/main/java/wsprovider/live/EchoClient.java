package wsprovider.live;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.util.AXIOMUtil;
import org.apache.axiom.soap.SOAP11Constants;
import org.apache.axiom.soap.SOAP12Constants;
import org.apache.axis2.AxisFault;
import org.apache.axis2.Constants;
import org.apache.axis2.addressing.EndpointReference;
import org.apache.axis2.client.Options;
import org.apache.axis2.client.ServiceClient;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.transport.http.HTTPConstants;
import org.apache.neethi.Policy;
import org.apache.rampart.RampartMessageData;

/** One Rampart client: calls the service as often as asked, all in the same conversation if the policy asks for one. */
final class EchoClient implements AutoCloseable {
    private static final String KEY_ALIAS = "client";
    private static final String SERVICE_ALIAS = "service";

    private final CallSpec spec;
    private final ConfigurationContext context;
    private final ServiceClient client;

    EchoClient(Axis2 axis2, CallSpec spec) throws Exception {
        this.spec = spec;
        context = axis2.newContext();
        if (spec.record() != null) {
            Recorder.install(context, spec.record());
        }
        client = new ServiceClient(context, null);
        client.setOptions(options());
        if (spec.addressing()) {
            client.engageModule("addressing");
        }
        client.engageModule("rampart");
    }

    /** Makes the calls that {@code wanted} asks for; who the client is and where it calls was settled when it was made. */
    synchronized Map<String, Object> run(CallSpec wanted) {
        Map<String, Object> answer = new LinkedHashMap<>();
        List<String> texts = new ArrayList<>();
        List<Double> millis = new ArrayList<>();
        try {
            for (int round = 0; round < wanted.rounds(); round++) {
                long start = System.nanoTime();
                OMElement reply = client.sendReceive(payload(wanted));
                texts.add(Echo.textOf(reply));
                millis.add(millisSince(start));
                answer.put("reply", reply.toString());
                client.cleanupTransport();
            }
            if (wanted.cancel()) {
                answer.put("cancelReply", cancel(wanted.keepCancelled()));
            }
            answer.put("ok", true);
        } catch (Exception failure) {
            answer.putAll(Failures.answer(failure));
        }
        answer.put("text", texts.isEmpty() ? null : texts.get(texts.size() - 1));
        answer.put("texts", texts);
        answer.put("millis", millis.stream().mapToDouble(Double::doubleValue).sum());
        answer.put("callMillis", millis);
        return answer;
    }

    @Override
    public void close() throws AxisFault {
        client.cleanup();
        context.terminate();
    }

    /** Rampart turns the next message into a Cancel, whatever its body was, and forgets the conversation, unless it is brought back to its mind. */
    private String cancel(boolean keep) throws Exception {
        Conversations known = new Conversations(context);
        client.getOptions().setProperty(RampartMessageData.CANCEL_REQUEST, Constants.VALUE_TRUE);
        try {
            return client.sendReceive(Echo.request("")).toString();
        } finally {
            client.getOptions().setProperty(RampartMessageData.CANCEL_REQUEST, Constants.VALUE_FALSE);
            client.getOptions().setAction(Echo.ACTION);
            client.cleanupTransport();
            if (keep) {
                known.restore();
            }
        }
    }

    private Options options() throws Exception {
        Options options = new Options();
        options.setTo(new EndpointReference(spec.url()));
        options.setAction(Echo.ACTION);
        options.setSoapVersionURI(spec.soap12() ? SOAP12Constants.SOAP_ENVELOPE_NAMESPACE_URI : SOAP11Constants.SOAP_ENVELOPE_NAMESPACE_URI);
        options.setTimeOutInMilliSeconds(spec.timeoutMillis());
        options.setUserName(spec.username());
        options.setPassword(spec.password());
        options.setProperty(RampartMessageData.KEY_RAMPART_POLICY, policy());
        if (spec.url().startsWith("https:")) {
            KeyMaterial trusted = new KeyMaterial().certificates("ca", spec.ca());
            options.setProperty(HTTPConstants.CUSTOM_PROTOCOL_HANDLER, TrustingSockets.https(trusted.store()));
        }
        return options;
    }

    private Policy policy() throws Exception {
        KeyMaterial keys = new KeyMaterial()
                .key(KEY_ALIAS, spec.client(), spec.clientPassword())
                .certificates(SERVICE_ALIAS, spec.serviceCert())
                .certificates("ca", spec.ca());
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("user", spec.username() == null ? KEY_ALIAS : spec.username());
        settings.put("userCertAlias", KEY_ALIAS);
        settings.put("encryptionUser", SERVICE_ALIAS);
        settings.put("passwordCallbackClass", PasswordCallback.class.getName());
        if (spec.rampart() != null) {
            settings.putAll(spec.rampart());
        }
        Policy policy = new PolicyFile(spec.policy())
                .suite(spec.suite())
                .configuration(settings, keys.isEmpty() ? null : keys.merlin())
                .parse();
        if (spec.digest()) {
            PolicyFile.hashPasswords(policy);
        }
        return policy;
    }

    private static OMElement payload(CallSpec wanted) throws Exception {
        return wanted.payload() == null ? Echo.request(wanted.text()) : AXIOMUtil.stringToOM(wanted.payload());
    }

    private static double millisSince(long start) {
        return (System.nanoTime() - start) / 1e6;
    }
}
