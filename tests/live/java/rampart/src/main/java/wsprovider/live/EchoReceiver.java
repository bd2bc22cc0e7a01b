package wsprovider.live;

import org.apache.axiom.om.OMElement;
import org.apache.axiom.soap.SOAPEnvelope;
import org.apache.axis2.AxisFault;
import org.apache.axis2.context.MessageContext;
import org.apache.axis2.receivers.AbstractInOutMessageReceiver;

/** Answers {@code echo(text)} with its text. */
final class EchoReceiver extends AbstractInOutMessageReceiver {
    @Override
    public void invokeBusinessLogic(MessageContext in, MessageContext out) throws AxisFault {
        OMElement request = in.getEnvelope().getBody().getFirstElement();
        SOAPEnvelope envelope = getSOAPFactory(in).getDefaultEnvelope();
        envelope.getBody().addChild(Echo.response(Echo.textOf(request)));
        out.setEnvelope(envelope);
    }
}
