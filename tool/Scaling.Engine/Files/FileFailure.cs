// What the C library could not do, as the exception that .NET would have thrown.
using System.Runtime.InteropServices;

namespace Scaling.Engine.Files;

internal static class FileFailure
{
    /// <summary>Whether a disk is full, or a quota used up.</summary>
    /// <param name="e">What a call of .NET threw.</param>
    /// <remarks>Where .NET reserves room for a whole file before it writes, it tells no error number, only these words; resources are invariant.</remarks>
    public static bool IsFull(Exception e) =>
        e is IOException && (e.HResult is LibC.NoSpace or LibC.QuotaExceeded || e.Message.EndsWith("because the disk was full.", StringComparison.Ordinal));

    /// <summary>The last call's; its <c>HResult</c> is the error number, as in .NET's own.</summary>
    /// <param name="what">Could not be done.</param>
    public static IOException Last(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}
