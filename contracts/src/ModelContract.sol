// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {LibClone} from "solady/utils/LibClone.sol";
import {Finality, IInbox, RequestOptions} from "./interfaces/IInbox.sol";
import {IModelContract} from "./interfaces/IModelContract.sol";
import {InputCodec} from "./libraries/InputCodec.sol";
import {ModelArguments} from "./libraries/ModelArguments.sol";
import {OutputCodec} from "./libraries/OutputCodec.sol";
import {Tensor} from "./machine/TensorCommitment.sol";

/// @title A model as a contract function
/// @notice The code behind every model's contract; each is a clone with the model's facts (`ModelArguments`) in its code, and
/// without storage. See `IModelContract`. Invariants:
/// 1. An encoding has one meaning, and an input one commitment: what is not canonical is refused before anything is paid. (A byte
///    string and the same with zero bytes at its end are one input, since the row is padded with zeros.)
/// 2. Nothing about a model can change: neither its function, nor its fee, nor where requests go.
contract ModelContract is IModelContract {
    /// @notice Gas of the callback of a request without options.
    uint32 public constant DEFAULT_CALLBACK_GAS = 300_000;

    /// @notice Where requests go.
    IInbox public immutable INBOX;
    /// @notice Wei that a unit of callback gas adds to the fee, for whoever delivers.
    uint256 public immutable CALLBACK_GAS_PRICE;

    constructor(IInbox inbox, uint256 callbackGasPrice) {
        INBOX = inbox;
        CALLBACK_GAS_PRICE = callbackGasPrice;
    }

    /// @notice Ether alone asks for nothing.
    receive() external payable {
        revert UnknownFunction(0);
    }

    // solhint-disable no-complex-fallback
    /// @notice The model's own function, without and with options.
    fallback() external payable {
        ModelArguments memory model = arguments();
        bool withOptions = msg.sig == model.withOptions;
        require(msg.data.length >= 4 && (withOptions || msg.sig == model.plain), UnknownFunction(msg.sig));
        (bytes memory elements, uint256 at_) = InputCodec.decode(model, msg.data[4:], withOptions);
        RequestOptions memory options = withOptions
            ? InputCodec.decodeOptions(msg.data[4 + at_:])
            : RequestOptions(Finality.Final, DEFAULT_CALLBACK_GAS, 0, 0);
        uint256 required = feeOf(model.fee, options.callbackGas);
        require(msg.value == required, WrongFee(msg.value, required));
        bytes32 requestId =
            INBOX.request{value: required}(msg.sender, model.modelId, commitmentOf(model, elements), elements, options);
        assembly ("memory-safe") {
            mstore(0x00, requestId)
            return(0x00, 0x20)
        }
    }

    /// @inheritdoc IModelContract
    function modelId() external view returns (bytes32) {
        return arguments().modelId;
    }

    /// @inheritdoc IModelContract
    function signature() external view returns (string memory) {
        return arguments().signature;
    }

    /// @inheritdoc IModelContract
    function fee(uint32 callbackGas) external view returns (uint256) {
        return feeOf(arguments().fee, callbackGas);
    }

    /// @inheritdoc IModelContract
    function defaultFee() external view returns (uint256) {
        return feeOf(arguments().fee, DEFAULT_CALLBACK_GAS);
    }

    /// @inheritdoc IModelContract
    function inputShape() external view returns (uint32 rows, uint32 columns, uint8 elementBytes) {
        ModelArguments memory model = arguments();
        return (model.rows, model.columns, model.elementBytes);
    }

    /// @inheritdoc IModelContract
    function inputCommitmentOf(bytes calldata argument) external view returns (bytes32) {
        ModelArguments memory model = arguments();
        (bytes memory elements,) = InputCodec.decode(model, argument, false);
        return commitmentOf(model, elements);
    }

    /// @inheritdoc IModelContract
    function decodeOutput(bytes calldata words) external view returns (bytes memory) {
        return OutputCodec.encode(arguments().output, words);
    }

    /// @notice True if a model's function with this selector could not be called: the contract has one of its own.
    function isReserved(bytes4 selector) external pure returns (bool) {
        return selector == this.modelId.selector || selector == this.signature.selector || selector == this.fee.selector
            || selector == this.defaultFee.selector || selector == this.inputShape.selector
            || selector == this.inputCommitmentOf.selector || selector == this.decodeOutput.selector
            || selector == this.isReserved.selector || selector == this.DEFAULT_CALLBACK_GAS.selector
            || selector == this.INBOX.selector || selector == this.CALLBACK_GAS_PRICE.selector;
    }

    function arguments() private view returns (ModelArguments memory) {
        return abi.decode(LibClone.argsOnClone(address(this)), (ModelArguments));
    }

    function feeOf(uint256 modelFee, uint32 callbackGas) private view returns (uint256) {
        return modelFee + callbackGas * CALLBACK_GAS_PRICE;
    }

    function commitmentOf(ModelArguments memory model, bytes memory elements) private pure returns (bytes32) {
        return Tensor.commit(InputCodec.pad(elements, model.rows, model.columns, model.elementBytes));
    }
}
