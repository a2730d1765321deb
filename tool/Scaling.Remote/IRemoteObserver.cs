// What a command tells of the remote cache.
using Scaling.Sdk;

namespace Scaling.Remote;

/// <summary>How far transfers are.</summary>
/// <param name="Incoming">From the remote; else to it.</param>
/// <param name="Entries">Done.</param>
/// <param name="OfEntries">Known to be wanted by now.</param>
/// <param name="Bytes">That came or went, tries that failed included.</param>
/// <param name="OfBytes">Known to be wanted by now.</param>
/// <param name="Seconds">Since the first of them.</param>
public sealed record Transfer(bool Incoming, int Entries, int OfEntries, long Bytes, long OfBytes, double Seconds);

/// <summary>Takes what happens, from several threads.</summary>
public interface IRemoteObserver
{
    /// <summary>Something is wrong that changes no result.</summary>
    /// <param name="warning">SCAL403x.</param>
    void Warned(Diagnostic warning);

    /// <summary>Bytes came or went.</summary>
    /// <param name="transfer">All so far.</param>
    void Moved(Transfer transfer);
}
